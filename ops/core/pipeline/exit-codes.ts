import { errorRule } from '#shared/errors'
import type { ResultDocument } from '#shared/result'

/** Exit code of `hq` for a wrong command line. All exit codes: docs/reference/cli.md. */
export const exitUsage = 64

/** 0 PASS · 1 FAIL · 2 refused by a guard, nothing was changed */
export function exitCodeOf({
  overall,
  error_class,
}: Pick<ResultDocument, 'overall' | 'error_class'>): 0 | 1 | 2 {
  if (overall === 'PASS') return 0
  return error_class !== null && errorRule(error_class).blocked ? 2 : 1
}
