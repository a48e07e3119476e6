import type { Problem } from '#shared/errors'
import { problemText } from '#shared/problem-text'
import { sayError } from '#ops/base/redact/crash-output'

/** Prints a failure on standard error: what happened, class and message, evidence, remedy. */
export const printProblem = (problem: Problem): void => sayError(problemText(problem))
