import type { Live } from '../../state/live.tsx'
import { runIdFrom } from '../../state/run-id.ts'
import { shortRun } from '../../text/format.ts'
import type { Badge, HqPage } from '../page.ts'
import { RunsPage } from './runs-page.tsx'

export const runsPage: HqPage = {
  path: '/runs',
  title: 'Runs',
  icon: 'runs',
  Page: RunsPage,
  takes: 'one',
  subject,
  badge,
}

/** *Run 8f3a9c1e*. */
function subject(rest: string): string | null {
  const runId = runIdFrom(rest)
  return runId === null ? null : `Run ${shortRun(runId)}`
}

/** How many runs are active, while the host answers. */
function badge({ overview: { status }, facts }: Live): Badge | null {
  const number = status?.active_runs.length ?? 0
  if (number === 0 || facts.stale) return null
  return { tone: 'running', number, text: `${number} running` }
}
