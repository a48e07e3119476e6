import { redact } from '#ops/base/redact/redaction'

/** One JSON line on standard error. Never a header, a token or a body, and nothing that is secret otherwise. */
export type Log = (event: string, facts?: Readonly<Record<string, unknown>>) => void

export const logToStderr: Log = (event, facts = {}) => {
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), event, ...redact.json(facts) })}\n`,
  )
}
