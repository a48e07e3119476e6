import { runIdFrom } from '../../state/run-id.ts'
import { shortRun } from '../../text/format.ts'
import type { HqPage } from '../page.ts'
import { RunsPage } from './runs-page.tsx'

export const runsPage: HqPage = {
  path: '/runs',
  title: 'Runs',
  icon: 'runs',
  Page: RunsPage,
  takes: 'one',
  subject,
  mark: 'runs',
}

/** *Run 8f3a9c1e*. */
function subject(rest: string): string | null {
  const runId = runIdFrom(rest)
  return runId === null ? null : `Run ${shortRun(runId)}`
}
