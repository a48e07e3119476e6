// What the witness remembers of a host, when the host gets another name.
import { Problem } from '#shared/errors'
import { forgetWitness, readWitness, writeWitness } from './witness.ts'
import {
  copyAlarms,
  forgetAlarms,
  forgetHostKey,
  trustedHostKey,
  trustHostKey,
} from './witness-alarms.ts'
import { copySeen, forgetAllSeen } from './witness-seen.ts'

/**
 * Keeps chain, alarms and pinned key of a host under its new name too. Called before the settings name it so: a kill in
 * between never leaves a host whose key is not pinned.
 * @throws {Problem} `setting_invalid` when the new name is remembered with another key; `proof_chain_unreadable`
 *   and `config_invalid` when what is remembered is damaged
 */
export function copyWitness(home: string, from: string, to: string): void {
  const key = trustedHostKey(home, from)
  const other = trustedHostKey(home, to)
  if (key !== null && other !== null && other.id !== key.id)
    throw new Problem(
      'setting_invalid',
      `HQ remembers the proofs of another host named ${JSON.stringify(to)}, with another key. ` +
        'Choose another name. The settings are unchanged.',
    )
  const witness = readWitness(home, from)
  copySeen(home, from, to)
  copyAlarms(home, from, to)
  if (witness !== null) writeWitness(home, { ...witness, host: to })
  if (key !== null) trustHostKey(home, to, key)
}

/** Forgets what was remembered under a name, once the host has another one. */
export function forgetName(home: string, name: string): void {
  forgetWitness(home, name)
  forgetAllSeen(home, name)
  forgetAlarms(home, name)
  forgetHostKey(home, name)
}
