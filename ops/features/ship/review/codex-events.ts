// What the Codex CLI reports on standard output: one JSON event a line.
import { z } from 'zod'

const codexEvent = z.looseObject({ type: z.string() })
const usageEvent = z.looseObject({
  type: z.literal('turn.completed'),
  usage: z.looseObject({ input_tokens: z.number().int(), output_tokens: z.number().int() }),
})
const failedEvent = z.union([
  z
    .looseObject({ type: z.literal('turn.failed'), error: z.looseObject({ message: z.string() }) })
    .transform(({ error }) => error.message),
  z
    .looseObject({ type: z.literal('error'), message: z.string() })
    .transform(({ message }) => message),
])
const itemEvent = z.looseObject({
  type: z.literal('item.completed'),
  item: z.looseObject({
    type: z.string(),
    command: z.string().optional(),
    text: z.string().optional(),
  }),
})

export interface CodexReport {
  readonly errors: readonly string[]
  readonly turnFailed: boolean
  /** Of the turn that ended; undefined: none did. */
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number } | undefined
}

/** Everything that the CLI said in one run. */
export function readCodexReport(stdout: string): CodexReport {
  const events = stdout
    .split('\n')
    .map(parseEvent)
    .filter((event) => codexEvent.safeParse(event).success)
  const usage = events.flatMap((event) => usageEvent.safeParse(event).data?.usage ?? []).at(-1)
  return {
    errors: events.flatMap((event) => failedEvent.safeParse(event).data ?? []),
    turnFailed: events.some((event) => codexEvent.parse(event).type === 'turn.failed'),
    usage: usage && { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens },
  }
}

/** What one completed item was, for the log; null for every other line. */
export const completedItem = (
  line: string,
): { readonly type: string; readonly command?: string; readonly text?: string } | null =>
  itemEvent.safeParse(parseEvent(line)).data?.item ?? null

function parseEvent(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null // a warning that the CLI printed between its events; the file keeps it
  }
}
