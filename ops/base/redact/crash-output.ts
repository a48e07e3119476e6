import { inspect } from 'node:util'
import { redact } from './redaction.ts'

/** One line, or several, on standard error, without what is secret. */
export function sayError(text: string): void {
  process.stderr.write(`${redact.text(text)}\n`)
}

/** Anything thrown, with stack and cause, as text without what is secret. */
export const describeThrown = (thrown: unknown): string =>
  redact.text(
    typeof thrown === 'string'
      ? thrown
      : inspect(thrown, { breakLength: Number.POSITIVE_INFINITY }),
  )

/**
 * What a program prints last when it meets a defect, also of a rejected promise nobody waits for: Node's own would show
 * whatever the error says.
 * @param say where they go; default: standard error
 * @param end ends the program; default: exit code 1, as Node's own
 */
export function redactCrashes({
  say = sayError,
  end = () => process.exit(1),
}: { say?: (text: string) => void; end?: () => void } = {}): void {
  process.on('uncaughtException', (thrown, origin) => {
    say(`${origin}: ${describeThrown(thrown)}`)
    end()
  })
}
