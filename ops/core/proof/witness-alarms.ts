import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { hostKeys, trustedKey, type TrustedKey } from '#shared/signature'
import {
  witnessAlarms,
  type ShownChain,
  type WitnessAlarm,
  type WitnessAlarms,
} from '#shared/proof'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { hostKeysFile, witnessFolder, witnessName } from '#ops/base/paths/proof-paths'
import { forgetWitness, readWitness, writeWitness, type Alarm } from './witness.ts'
import { dropSeen, forgetSeen } from './witness-seen.ts'

/** Most alarms of one host that are kept open, and acknowledgements that are remembered. */
const maxOpen = 20
const maxAcknowledged = 200

const fileOf = (home: string, host: string): string =>
  join(witnessFolder(home), 'alarms', `${witnessName(host)}.json`)
const none = (host: string): WitnessAlarms => ({
  schema_version: 1,
  host,
  open: [],
  shown: null,
  acknowledged: [],
})

/** A file that cannot be read is an alarm itself. */
export function readAlarms(home: string, host: string): WitnessAlarms {
  try {
    return readJson(fileOf(home, host), witnessAlarms, 'proof_chain_unreadable') ?? none(host)
  } catch (error) {
    const at = new Date().toISOString()
    const detail = error instanceof Error ? error.message.slice(0, 1000) : String(error)
    return {
      ...none(host),
      open: [
        {
          code: 'witness_damaged',
          run_id: null,
          counter: null,
          detail,
          raised_at: at,
          last_seen_at: at,
        },
      ],
    }
  }
}
/** @throws {Problem} `proof_chain_unreadable` */
export function copyAlarms(home: string, from: string, to: string): void {
  const alarms = readJson(fileOf(home, from), witnessAlarms, 'proof_chain_unreadable')
  if (alarms !== undefined) write(home, { ...alarms, host: to })
}
export const forgetAlarms = (home: string, host: string): void =>
  rmSync(fileOf(home, host), { force: true })
const write = (home: string, alarms: WitnessAlarms): void =>
  writeJson(fileOf(home, alarms.host), witnessAlarms.parse(alarms), { mode: 0o600 })

const isSame = (a: Alarm | WitnessAlarm, b: WitnessAlarm): boolean =>
  a.code === b.code && a.run_id === b.run_id && a.counter === b.counter

interface Found {
  readonly home: string
  readonly host: string
  /** Alarms of this check of the chain. */ readonly found: readonly Alarm[]
  /** What an acknowledgement would accept; null when the chain agrees with the witness. */
  readonly shown: ShownChain | null
  readonly now?: Date
}

/** Stores the alarms of one check of a chain. An alarm that was raised stays, also when the chain agrees again. */
export function noteAlarms({ home, host, found, shown, now = new Date() }: Found): WitnessAlarms {
  const before = readAlarms(home, host)
  if (found.length === 0 && before.open.length === 0) return before
  const at = now.toISOString()
  const open = before.open.map((alarm) =>
    found.some((each) => isSame(each, alarm)) ? { ...alarm, last_seen_at: at } : alarm,
  )
  for (const alarm of found) {
    if (open.length >= maxOpen || open.some((each) => isSame(alarm, each))) continue
    const { code, run_id, counter, file, detail } = alarm
    open.push({
      code,
      run_id,
      counter,
      detail: `${file === null ? '' : `${file}: `}${detail}`.slice(0, 1000),
      raised_at: at,
      last_seen_at: at,
    })
  }
  const after: WitnessAlarms = { ...before, open, shown: found.length > 0 ? shown : null }
  write(home, after)
  return after
}

interface Acknowledgement {
  readonly home: string
  readonly host: string
  readonly reason: string
  /** Trusts the key that was shown with the alarm. */ readonly trustKey: (key: TrustedKey) => void
  readonly now?: Date
}

/**
 * Ends the open alarms of a host, for a reason that is recorded. The witness continues from what was shown when the
 * alarm was last seen, and trusts the key that was shown with it. Where the chain agrees again, it continues as before.
 *
 * @throws {Problem} `invalid_request` when nothing is open; `proof_chain_unreadable`
 */
export function acknowledgeAlarms({
  home,
  host,
  reason,
  trustKey,
  now = new Date(),
}: Acknowledgement): WitnessAlarms {
  const before = readAlarms(home, host)
  if (before.open.length === 0)
    throw new Problem('invalid_request', `There is no open alarm of ${host}. Nothing was changed.`)
  const { shown, open } = before
  if (open.some(({ code }) => code === 'witness_damaged')) setAside(home, host)
  else if (shown !== null) {
    if (shown.key !== null) trustKey(shown.key)
    accept({ home, host }, shown, { open, now })
  }
  const acknowledged = [
    ...before.acknowledged,
    { at: now.toISOString(), reason, alarms: open, accepted: shown },
  ].slice(-maxAcknowledged)
  const after: WitnessAlarms = { ...before, open: [], shown: null, acknowledged }
  write(home, after)
  return after
}

function accept(
  { home, host }: { home: string; host: string },
  { key, report }: ShownChain,
  { open, now }: { open: readonly WitnessAlarm[]; now: Date },
): void {
  const seen = readWitness(home, host)
  const grown =
    seen !== null &&
    report !== null &&
    report.chain === seen.chain &&
    report.counter >= seen.counter
  // Only single bundles are missing or differ below what was seen: the others are still watched.
  if (grown && open.every(({ counter }) => counter !== null && counter <= seen.counter)) {
    return dropSeen(
      { home, host, chain: seen.chain },
      new Set(open.map(({ counter }) => counter).filter((counter) => counter !== null)),
    )
  }
  if (seen !== null) forgetSeen({ home, host, chain: seen.chain })
  if (report === null) return forgetWitness(home, host)
  const keyId = key?.id ?? seen?.key_id
  if (keyId === undefined) return forgetWitness(home, host)
  writeWitness(home, {
    schema_version: 1,
    host,
    ...report,
    key_id: keyId,
    seen_at: now.toISOString(),
  })
}

/** A damaged witness file is renamed, so that it can be inspected, and a new one begins. */
function setAside(home: string, host: string): void {
  const file = join(witnessFolder(home), `${witnessName(host)}.json`)
  if (existsSync(file)) renameSync(file, `${file}.damaged`)
  const seen = join(witnessFolder(home), 'seen', witnessName(host))
  if (existsSync(seen)) renameSync(seen, `${seen}.damaged-${Date.now()}`)
}

/**
 * The ship key of this laptop as the witness learned it. Not among the keys of hosts: a ship key never speaks for
 * one.
 */
const shipKeyFile = (home: string): string => join(witnessFolder(home), 'keys', 'ship_key.json')
/** @throws {Problem} `config_invalid` */
export const trustedShipKey = (home: string): TrustedKey | null =>
  readJson(shipKeyFile(home), trustedKey, 'config_invalid') ?? null
export const trustShipKey = (home: string, key: TrustedKey): void =>
  writeJson(shipKeyFile(home), trustedKey.parse(key), { mode: 0o600 })

/** The deploy key that was learned from this host. @throws {Problem} `config_invalid` */
export const trustedHostKey = (home: string, host: string): TrustedKey | null => {
  const found = readJson(hostKeysFile(home), hostKeys, 'config_invalid')?.keys.find(
    (key) => key.host === host,
  )
  return found === undefined ? null : { id: found.id, public_key: found.public_key }
}

/** Trusts this key of this host from now on, and no other one. */
export function trustHostKey(home: string, host: string, { id, public_key }: TrustedKey): void {
  const keys = readJson(hostKeysFile(home), hostKeys, 'config_invalid')?.keys ?? []
  writeJson(
    hostKeysFile(home),
    hostKeys.parse({
      schema_version: 1,
      keys: [...keys.filter((key) => key.host !== host), { host, id, public_key }],
    }),
    { mode: 0o600 },
  )
}

/** Forgets the key of a name that no host has any more. @throws {Problem} `config_invalid` */
export function forgetHostKey(home: string, host: string): void {
  const known = readJson(hostKeysFile(home), hostKeys, 'config_invalid')
  if (known === undefined) return
  const keys = known.keys.filter((key) => key.host !== host)
  writeJson(hostKeysFile(home), { ...known, keys }, { mode: 0o600 })
}
