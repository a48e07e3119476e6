// The mark before a check or a step on a terminal.

export const checkMark = { PASS: '✓', WARN: '!', FAIL: '✗', SKIP: '–' } as const
export const stepMark = { passed: '✓', skipped: '–', failed: '✗', cancelled: '■' } as const
