/** The one log of hostd: JSON lines on standard error, without what is secret. */
import pino, { type Logger } from 'pino'
import { redact } from '#ops/base/redact/redaction'

/** One event with its facts. Never a header, a token or a body of a request. */
export type Log = (event: string, facts?: Readonly<Record<string, unknown>>) => void

/** Shared by hostd's own events and by Fastify. Every text of a line is redacted before pino sees it. */
export const logger: Logger = pino(
  {
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (level) => ({ level }),
      log: (facts) => redact.json(withErrors(facts)),
    },
    hooks: {
      logMethod(args, method) {
        const [first, ...more] = args.map((each: unknown) =>
          typeof each === 'string' ? redact.text(each) : each,
        )
        method.apply(this, [first as object, ...(more as [string?])])
      },
    },
  },
  // Through the stream of this process and not by descriptor, so that a line is written before the process exits.
  { write: (line: string) => void process.stderr.write(line) },
)

export const logToStderr: Log = (event, facts = {}) => logger.info({ event, ...facts })

/** Requests, replies and errors as Fastify logs them: their headers and bodies are left out. */
function withErrors(facts: Record<string, unknown>): Record<string, unknown> {
  const rest = Object.fromEntries(
    Object.entries(facts).filter(([name]) => name !== 'req' && name !== 'res' && name !== 'err'),
  )
  const { err } = facts
  if (err === undefined) return rest
  const { message, stack } = err instanceof Error ? err : new Error(JSON.stringify(err))
  return { ...rest, why: message, stack }
}
