import { enrolledKeys, type EnrolledKey } from '#shared/signature'
import { trustFile, type TrustFile } from '#shared/config'
import { Problem } from '#shared/errors'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { keyIdOf } from './signing-key.ts'
import { readPublicKey, trustKeys } from './trusted-keys.ts'
import type { HostPaths } from '#ops/base/paths/paths'

type KeyFiles = Pick<HostPaths, 'trustFile' | 'shipKeysFile'>

/** Most keys that may be enrolled: one for each laptop of a small team, and those before them. */
const maxKeys = 50

/** A ship key that this host trusts, and where that is recorded. */
export interface TrustedShipKey {
  readonly id: string
  readonly public_key: string
  /** null: it was written into trust.json by hand. */ readonly enrolled: Omit<
    EnrolledKey,
    'id' | 'public_key'
  > | null
}

/**
 * Every ship key that this host trusts: those of trust.json, and those that were enrolled through hostd.
 * @throws {Problem} `config_invalid` when one of the files is damaged: then nothing is trusted
 */
export const trustedShipKeys = ({ trustFile: file, shipKeysFile }: KeyFiles): TrustedShipKey[] =>
  allShipKeys(
    readJson(file, trustFile, 'config_invalid'),
    readJson(shipKeysFile, enrolledKeys, 'config_invalid'),
  )

/** The keys of both files, each id once. Undefined: there is no such file. */
export function allShipKeys(
  trust: TrustFile | undefined,
  enrolment: { readonly keys: readonly EnrolledKey[] } | undefined,
): TrustedShipKey[] {
  const byHand = trust?.keys ?? []
  const enrolled = enrolment?.keys ?? []
  return [
    ...byHand.map(({ id, public_key }) => ({ id, public_key, enrolled: null })),
    ...enrolled
      .filter(({ id }) => !byHand.some((key) => key.id === id))
      .map(({ id, public_key, ...rest }) => ({ id, public_key, enrolled: rest })),
  ]
}

/**
 * Trusts one more ship key. Existing ones stay: the chain of reviews from the baseline holds verdicts that they signed.
 * @returns `added` false when it is trusted already; nothing was changed then
 * @throws {Problem} `invalid_request` when it is not an Ed25519 public key; `config_invalid` when a file is damaged
 */
export function enrolShipKey(
  paths: KeyFiles,
  { public_key, label, run_id }: { public_key: string; label: string; run_id: string },
  now: Date = new Date(),
): { id: string; added: boolean } {
  const key = readPublicKey(public_key)
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new Problem('invalid_request', 'This is not an Ed25519 public key. Nothing was enrolled.')
  const id = keyIdOf(key)
  const before = trustedShipKeys(paths)
  trustKeys(before, paths.shipKeysFile)
  if (before.some((each) => each.id === id)) return { id, added: false }
  const keys = readJson(paths.shipKeysFile, enrolledKeys, 'config_invalid')?.keys ?? []
  if (keys.length >= maxKeys)
    throw new Problem(
      'invalid_request',
      `This host trusts ${keys.length} enrolled keys already, which is the limit. Nothing was enrolled.`,
    )
  writeJson(
    paths.shipKeysFile,
    enrolledKeys.parse({
      schema_version: 1,
      keys: [...keys, { id, public_key, label, enrolled_at: now.toISOString(), run_id }],
    }),
  )
  return { id, added: true }
}

/**
 * Stops trusting a ship key: what only it has signed is unreviewed from then on.
 * @returns its label; null when it was not trusted, and nothing was changed
 * @throws {Problem} `key_kept` when it stands in trust.json, or is the last one: a host without any key trusts
 *   unsigned verdicts; `config_invalid` when a file is damaged
 */
export function removeShipKey(paths: KeyFiles, id: string): string | null {
  const trusted = trustedShipKeys(paths)
  const found = trusted.find((each) => each.id === id)
  if (found === undefined) return null
  if (found.enrolled === null)
    throw new Problem(
      'key_kept',
      `Key ${id} is listed in ${paths.trustFile}, which runs do not change. The key is still trusted.`,
    )
  if (trusted.length === 1)
    throw new Problem(
      'key_kept',
      `Key ${id} is the only key that this host trusts. Without a key, the host would trust unsigned ` +
        'verdicts. The key is still trusted.',
    )
  const keys = readJson(paths.shipKeysFile, enrolledKeys, 'config_invalid')?.keys ?? []
  writeJson(
    paths.shipKeysFile,
    enrolledKeys.parse({ schema_version: 1, keys: keys.filter((each) => each.id !== id) }),
  )
  return found.enrolled.label
}
