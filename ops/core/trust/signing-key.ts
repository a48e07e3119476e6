import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto'
import { Problem } from '#shared/errors'
import type { TrustedKey } from '#shared/signature'
import { sha256Of } from '#ops/base/sha256'

/** An Ed25519 key that can sign. The private half cannot be read from it, printed or turned into JSON. */
export interface SigningKey {
  readonly id: string
  /** SPKI, PEM. */
  readonly publicKey: string
  sign(bytes: Uint8Array): Buffer
}

/** @returns the first 32 hex digits of the SHA-256 of the key's SPKI DER */
export const keyIdOf = (publicKey: KeyObject): string =>
  sha256Of(publicKey.export({ type: 'spki', format: 'der' })).slice(0, 32)

/** A new private key. @returns PKCS #8, PEM */
export const newKeyPem = (): string =>
  generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey

/**
 * @param pem PKCS #8
 * @param origin names it in the error
 * @throws {Problem} `config_invalid` when it is not an Ed25519 private key
 */
export function signingKeyFromPem(pem: string, origin: string): SigningKey {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // The cause is left out: a parser's error may quote what it was given.
    throw new Problem('config_invalid', `${origin} is not a private key. It was not changed.`)
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Problem(
      'config_invalid',
      `${origin} is a key of type ${String(key.asymmetricKeyType)}; an Ed25519 key is needed. It was not changed.`,
    )
  const publicHalf = createPublicKey(key)
  return {
    id: keyIdOf(publicHalf),
    publicKey: publicHalf.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (bytes) => sign(null, bytes, key),
  }
}

/** What is given to the other side at enrolment: an entry of trust.json `keys`. */
export const toTrustedKey = ({
  id,
  publicKey,
}: Pick<SigningKey, 'id' | 'publicKey'>): TrustedKey => ({ id, public_key: publicKey })
