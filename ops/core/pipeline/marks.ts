// The mark before a check or a step on a terminal.
import type { CheckResult } from '#shared/result'

export const checkMark = { PASS: '✓', WARN: '!', FAIL: '✗', SKIP: '–' } as const
export const stepMark = { passed: '✓', skipped: '–', failed: '✗', cancelled: '■' } as const

/** One check in a log. */
export const checkLine = ({ name, status, detail }: CheckResult): string =>
  `${checkMark[status]} ${status} ${name}: ${detail}`
