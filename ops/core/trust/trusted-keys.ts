import { createPublicKey, type KeyObject } from 'node:crypto'
import { Problem } from '#shared/errors'
import type { TrustedKey } from '#shared/signature'
import { keyIdOf } from './signing-key.ts'

/** Trusted keys, by id. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>

/**
 * Reads the keys of a trust file. A key whose id is not its own is refused, so that an id always means one key.
 * @param origin names the file in the error
 * @throws {Problem} `config_invalid`
 */
export function trustKeys(keys: readonly Readonly<TrustedKey>[], origin: string): TrustedKeys {
  const trusted = new Map<string, KeyObject>()
  for (const { id, public_key } of keys) {
    const key = readPublicKey(public_key)
    if (key?.asymmetricKeyType !== 'ed25519')
      throw new Problem('config_invalid', `${origin}: key ${id} is not an Ed25519 public key.`)
    if (keyIdOf(key) !== id)
      throw new Problem(
        'config_invalid',
        `${origin}: key ${id} has the id of another key; its own is ${keyIdOf(key)}.`,
      )
    trusted.set(id, key)
  }
  return trusted
}

/** @returns null when the text is not a public key in PEM */
export function readPublicKey(pem: string): KeyObject | null {
  // Node makes a public key from a private one too: that would hide that somebody enrolled a private key.
  if (!pem.startsWith('-----BEGIN PUBLIC KEY-----\n')) return null
  try {
    return createPublicKey(pem)
  } catch {
    return null // the caller says which key is not one
  }
}
