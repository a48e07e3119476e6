import { z } from 'zod'
import { errorClasses } from './errors.ts'
import { commitId, timestamp } from './ids.ts'
import { resultDocument } from './result.ts'

const at = { time: timestamp }

/** What happens in a run, without its number. Terminal, hostd's stream and the window all read this one union. */
export const eventBody = z.discriminatedUnion('type', [
  z.strictObject({
    ...at,
    type: z.literal('run_started'),
    action: z.string(),
    steps: z.array(z.string()),
    attempt: z.number().int().positive().optional(),
  }),
  z.strictObject({ ...at, type: z.literal('step_started'), step: z.string() }),
  z.strictObject({
    ...at,
    type: z.literal('log'),
    step: z.string().nullable(),
    stream: z.enum(['stdout', 'stderr', 'hq']),
    text: z.string(),
    /** The line of a check that the result document holds too: a terminal shows those as one table. */ check:
      z.literal(true).optional(),
  }),
  z.strictObject({
    ...at,
    type: z.literal('step_finished'),
    step: z.string(),
    status: z.enum(['passed', 'skipped', 'failed', 'cancelled']),
    duration_ms: z.number().int().nonnegative(),
    detail: z.string().nullable(),
    error_class: z.enum(errorClasses).nullable(),
    /** The commit the run is about, once the step knows it; absent: not known by then, or of an older HQ. */
    git_head: commitId.optional(),
  }),
  z.strictObject({ ...at, type: z.literal('log_truncated'), bytes: z.number().int() }),
  z.strictObject({ ...at, type: z.literal('run_finished'), result: resultDocument }),
])
export type EventBody = z.infer<typeof eventBody>

/** One line of `log.ndjson` and one SSE message: numbered from 1, without gap or repeat. */
export type RunEvent = EventBody & { readonly seq: number }

/** Made once: making a schema costs a hundred times what checking an event does. */
const numbered = z.looseObject({ seq: z.number().int().positive() })

/** @throws {z.ZodError} when the value is not a numbered event */
export function parseRunEvent(value: unknown): RunEvent {
  const { seq, ...body } = numbered.parse(value)
  return { ...eventBody.parse(body), seq }
}
