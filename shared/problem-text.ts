import { errorRule, type Problem } from './errors.ts'
import { remediations } from './errors/remediations.ts'

/**
 * A failure for a terminal: the sentence of its class, as the window shows it; class and message; evidence; remedy.
 * @returns several lines, without a line break at the end
 */
export function problemText({ errorClass, message, evidence }: Problem): string {
  const { sentence, next_auto_fix } = errorRule(errorClass)
  return [
    sentence,
    `${errorClass}: ${message}`,
    ...evidence.map((line) => `  ${line}`),
    `Next: ${remediations[next_auto_fix].title}`,
  ].join('\n')
}
