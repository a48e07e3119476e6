import { errorRule, type Problem } from '#shared/errors'
import { remediations } from '#shared/remediations'
import { sayError } from '#ops/base/redact/crash-output'

/** Prints a problem on standard error, without secrets: its class and message, its evidence, and what to do next. */
export function printProblem({ errorClass, message, evidence }: Problem): void {
  sayError(`${errorClass}: ${message}`)
  for (const line of evidence) sayError(`  ${line}`)
  sayError(`Next: ${remediations[errorRule(errorClass).next_auto_fix].title}`)
}
