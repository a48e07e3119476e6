import { z } from 'zod'
import { reviewProvider } from './parts.ts'

/** `$OPENCLAW_ETC/trust.json`: which reviews a host trusts. */
export const trustFile = z.strictObject({
  schema_version: z.literal(1).describe('Version of this format.'),
  baseline: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .describe('Commit from which on every change must have a verdict.'),
  review_providers: z.array(reviewProvider).describe('Providers whose reviews are accepted.'),
  keys: z
    .array(
      z.strictObject({
        id: z.string().describe('Id of the key.'),
        public_key: z.string().describe('Public key (Ed25519, SPKI PEM).'),
      }),
    )
    .default([])
    .describe(
      'Ship keys of enrolled laptops. With at least one key here or in `trust/ship_keys.json`, every ' +
        'verdict from the baseline on must be signed by one of them.',
    ),
})
export type TrustFile = z.infer<typeof trustFile>
