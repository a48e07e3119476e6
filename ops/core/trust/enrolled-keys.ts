import { enrolledKeys, type EnrolledKey } from '#shared/signature'
import { trustFile, type TrustFile } from '#shared/config'
import { Problem } from '#shared/errors'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { keyIdOf } from './signing-key.ts'
import { readPublicKey, trustKeys } from './trusted-keys.ts'
import type { HostPaths } from '#ops/base/paths/paths'

type Places = Pick<HostPaths, 'trustFile' | 'shipKeysFile'>

/** Most keys that may be enrolled: one for each laptop of a small team, and those before them. */
const maxKeys = 50

/** A ship key that this host believes, and where that stands. */
export interface TrustedShipKey {
  readonly id: string
  readonly public_key: string
  /** null: it was written into trust.json by hand. */ readonly enrolled: Omit<
    EnrolledKey,
    'id' | 'public_key'
  > | null
}

/**
 * Every ship key that this host believes: those of trust.json, and those that were enrolled through hostd.
 * @throws {Problem} `config_invalid` when one of the files is damaged: then nothing is believed
 */
export const trustedShipKeys = ({ trustFile: file, shipKeysFile }: Places): TrustedShipKey[] =>
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
 * Believes one more ship key. Existing ones stay: verdicts that they signed are on the way from the baseline.
 * @returns false when it is believed already; nothing was changed then
 * @throws {Problem} `invalid_request` when it is no Ed25519 public key; `config_invalid` when a file is damaged
 */
export function enrolShipKey(
  places: Places,
  { public_key, label, run_id }: { public_key: string; label: string; run_id: string },
  now: Date = new Date(),
): { id: string; added: boolean } {
  const key = readPublicKey(public_key)
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new Problem('invalid_request', 'This is not an Ed25519 public key. Nothing was enrolled.')
  const id = keyIdOf(key)
  const before = trustedShipKeys(places)
  trustKeys(before, places.shipKeysFile)
  if (before.some((each) => each.id === id)) return { id, added: false }
  const keys = readJson(places.shipKeysFile, enrolledKeys, 'config_invalid')?.keys ?? []
  if (keys.length >= maxKeys)
    throw new Problem(
      'invalid_request',
      `This host believes ${keys.length} enrolled keys already, and no more are taken. Nothing was enrolled.`,
    )
  writeJson(
    places.shipKeysFile,
    enrolledKeys.parse({
      schema_version: 1,
      keys: [...keys, { id, public_key, label, enrolled_at: now.toISOString(), run_id }],
    }),
  )
  return { id, added: true }
}

/**
 * Believes a ship key no longer: what only it has signed is unreviewed from then on.
 * @returns its label; null when it was not believed, and nothing was changed
 * @throws {Problem} `key_kept` when it stands in trust.json, or is the last one: a host without any key believes
 *   unsigned verdicts; `config_invalid` when a file is damaged
 */
export function removeShipKey(places: Places, id: string): string | null {
  const believed = trustedShipKeys(places)
  const found = believed.find((each) => each.id === id)
  if (found === undefined) return null
  if (found.enrolled === null)
    throw new Problem(
      'key_kept',
      `Key ${id} stands in ${places.trustFile}, which runs do not change. It is still believed.`,
    )
  if (believed.length === 1)
    throw new Problem(
      'key_kept',
      `Key ${id} is the only one that this host believes, and without any it would believe verdicts that ` +
        'nobody signed. It is still believed.',
    )
  const keys = readJson(places.shipKeysFile, enrolledKeys, 'config_invalid')?.keys ?? []
  writeJson(
    places.shipKeysFile,
    enrolledKeys.parse({ schema_version: 1, keys: keys.filter((each) => each.id !== id) }),
  )
  return found.enrolled.label
}
