import { z } from 'zod'

/** A program and its arguments. Never a shell line: no expansion, no quoting, no pipes. */
export const argv = z.array(z.string().min(1)).min(1)

/** A review provider, by id and address. */
export const reviewProvider = z.strictObject({
  id: z.string().min(1).describe('Id of the provider, as Codex names it.'),
  base_url: z.url().describe('Base URL of the API that answers the review.'),
})

/**
 * How long logs are kept (docs/OPERATING_MODEL.md). Results, verdicts and manifests are kept for ever, the newest three
 * green runs whole.
 */
export const retention = z.strictObject({
  log_days: z
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(90)
    .describe('Days after which the logs of a run are deleted.'),
  log_bytes: z
    .number()
    .int()
    .min(0)
    .default(5_000_000_000)
    .describe('Most bytes of all logs together; above it the oldest are deleted.'),
  min_days: z
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(7)
    .describe('Logs younger than this many days are never deleted.'),
})
export type RetentionSettings = z.infer<typeof retention>
