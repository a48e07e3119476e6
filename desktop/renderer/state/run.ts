/** A run in words of the page: its title, and when it started. */
import { actionOf } from '#shared/actions'
import type { RunDetail } from '#shared/api'
import type { Overview } from '#shared/bridge'
import { resultDocument } from '#shared/result'
import { resultOf } from '#shared/result-forms'
import type { Run } from '#shared/run'
import { count } from '../text/format.ts'

export const titleOfRun = (run: Pick<Run, 'action'>): string => actionOf(run.action).title
/** Milliseconds since the epoch. */
export const startOf = (run: Run): number => Date.parse(run.started_at ?? run.requested_at)
/** The commit that a run brought or was about, as its result says; null before there is one. */
export function commitOfRun({
  action,
  result,
}: Pick<RunDetail, 'action' | 'result'>): string | null {
  const typed = resultOf(actionOf(action).result, result)
  if (typed?.kind === 'deploy') return typed.document.target_sha
  return resultDocument.safeParse(result ?? null).data?.git_head ?? null
}
export const commitsToShip = ({ repository }: Pick<Overview, 'repository'>): string =>
  count(repository?.ahead ?? 0, 'commit')
