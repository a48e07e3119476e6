import { z } from 'zod'
import { runId, timestamp } from './ids.ts'
import { verdict } from './verdict.ts'

/** First 128 bits of the SHA-256 of the public key's SPKI DER, in hex. It selects a key; it never proves one. */
export const keyId = z.string().regex(/^[0-9a-f]{32}$/, 'not a key id')

/** A detached Ed25519 signature over canonical JSON (RFC 8785) of everything in the document but itself. */
export const signature = z.strictObject({
  key_id: keyId,
  algorithm: z.literal('ed25519'),
  /** 64 bytes, base64. */
  value: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, 'not an Ed25519 signature'),
})
export type Signature = z.infer<typeof signature>

/** A trusted key: what laptop and host exchange at enrolment, and an entry of trust.json `keys`. */
export const trustedKey = z.strictObject({ id: keyId, public_key: z.string().max(1000) })
export type TrustedKey = z.infer<typeof trustedKey>

/** A ship key that was enrolled through hostd, and by which run. */
export const enrolledKey = trustedKey.extend({
  label: z.string().min(1).max(100),
  enrolled_at: timestamp,
  run_id: runId,
})
export type EnrolledKey = z.infer<typeof enrolledKey>
/** `$OPENCLAW_ETC/trust/ship_keys.json`: ship keys that were enrolled, beside those of trust.json. */
export const enrolledKeys = z.strictObject({
  schema_version: z.literal(1),
  keys: z.array(enrolledKey),
})

/** `$OPENCLAW_HQ_HOME/host_keys.json` on the laptop: the deploy keys of the hosts it was enrolled with. */
export const hostKeys = z.strictObject({
  schema_version: z.literal(1),
  keys: z.array(trustedKey.extend({ host: z.string().min(1).max(100) })),
})
export type HostKeys = z.infer<typeof hostKeys>

/** A verdict with the signature of the ship key: what is pushed under `refs/openclaw/reviews/<sha>`. */
export const signedVerdict = verdict.extend({ signature })
export type SignedVerdict = z.infer<typeof signedVerdict>

/** A verdict as it is read: from before signatures, or signed. */
export const verdictDocument = verdict.extend({ signature: signature.optional() })
export type VerdictDocument = z.infer<typeof verdictDocument>

/**
 * `unverified`: it has no signature, or no key is enrolled to check one with. `unknown_key`: keys are enrolled
 * and its key is not among them. `invalid`: it is not a verdict, or the signature is not of this content.
 */
export const signatureState = z.enum(['verified', 'unverified', 'unknown_key', 'invalid'])
export type SignatureState = z.infer<typeof signatureState>
