// What a program that does not get healthy says itself, for the message.
import { firstError } from '#ops/core/pipeline/first-error'

/** @param lines the last lines of its log @returns its first error, to follow why it is unhealthy */
export function saidIn(lines: readonly string[]): string {
  const found = firstError(lines.join('\n'))
  return found === null ? '; its log is empty' : `; its log says: ${found.text.replace(/\.$/, '')}`
}
