import type { Live } from '../../state/live.tsx'
import type { Badge, HqPage } from '../page.ts'
import { RunsPage } from './runs-page.tsx'

export const runsPage: HqPage = {
  path: '/runs',
  title: 'Runs',
  icon: 'runs',
  Page: RunsPage,
  takesId: true,
  badge,
}

/** How many runs are active, while the host answers. */
function badge({ overview: { status }, facts }: Live): Badge | null {
  const number = status?.active_runs.length ?? 0
  if (number === 0 || facts.stale) return null
  return { tone: 'running', number, text: `${number} running` }
}
