import type { Live } from '../../state/live.tsx'
import { runIdFrom } from '../../state/run-id.ts'
import { count, shortRun } from '../../text/format.ts'
import { ofOverall } from '../../text/status.ts'
import type { Badge, HqPage } from '../page.ts'
import { ShipPage } from './ship-page.tsx'

export const shipPage: HqPage = {
  path: '/ship',
  title: 'Ship',
  icon: 'ship',
  Page: ShipPage,
  takes: 'one',
  subject,
  laptopOnly: true,
  showsNextStep: true,
  badge,
}

/** *Ship 8f3a9c1e*. */
function subject(rest: string): string | null {
  const runId = runIdFrom(rest)
  return runId === null ? null : `Ship ${shortRun(runId)}`
}

/** A ship that runs; else the newest one, when it failed for this commit; else how much there is to ship. */
function badge({ overview: { ship, repository }, facts }: Live): Badge | null {
  if (facts.ship) return { tone: 'running', number: null, text: 'running' }
  if (ship?.result?.overall === 'FAIL' && ship.result.git_head === repository?.head) {
    const { tone, word } = ofOverall('FAIL', ship.result.error_class)
    return { tone, number: null, text: word.toLowerCase() }
  }
  const ahead = repository?.ahead ?? 0
  if (ahead === 0) return null
  return { tone: 'wait', number: ahead, text: `${count(ahead, 'commit')} to ship` }
}
