import { verify } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Signature } from '#shared/signature'
import type { SigningKey } from './signing-key.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** What a signature is about. It is part of what is signed, so a signature of one kind never passes for another. */
export type SignedKind = 'manifest' | 'tombstone' | 'verdict'

/**
 * The bytes that are signed: the kind, a zero byte, and the document without its signature as canonical JSON (RFC
 * 8785).
 */
function signedBytes(kind: SignedKind, document: object): Buffer {
  const { signature: _, ...content } = document as { signature?: unknown }
  const text = canonicalize(content)
  if (text === undefined) throw new TypeError('a document without content cannot be signed')
  return Buffer.from(`openclaw/${kind}/1\0${text}`)
}

/**
 * @returns the document with its signature
 * @throws {Error} for values that canonical JSON has no form for (lone surrogates)
 */
export function signDocument<T extends object>(
  kind: SignedKind,
  document: T,
  key: SigningKey,
): T & { signature: Signature } {
  return {
    ...document,
    signature: {
      key_id: key.id,
      algorithm: 'ed25519',
      value: key.sign(signedBytes(kind, document)).toString('base64'),
    },
  }
}

/** @returns `no_key_enrolled` when there is no key at all to check with */
export function checkSignature(
  kind: SignedKind,
  document: { readonly signature: Signature },
  keys: TrustedKeys,
): 'verified' | 'no_key_enrolled' | 'unknown_key' | 'invalid' {
  if (keys.size === 0) return 'no_key_enrolled'
  const key = keys.get(document.signature.key_id)
  if (key === undefined) return 'unknown_key'
  const value = Buffer.from(document.signature.value, 'base64')
  // Base64 has spare bits at its end; one signature has one spelling here.
  if (value.toString('base64') !== document.signature.value) return 'invalid'
  try {
    return verify(null, signedBytes(kind, document), key, value) ? 'verified' : 'invalid'
  } catch {
    return 'invalid' // content that has no canonical form was never signed
  }
}
