import { runIdFrom } from '../../state/run-id.ts'
import { shortRun } from '../../text/format.ts'
import type { HqPage } from '../page.ts'
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
  mark: 'ship',
}

/** *Ship 8f3a9c1e*. */
function subject(rest: string): string | null {
  const runId = runIdFrom(rest)
  return runId === null ? null : `Ship ${shortRun(runId)}`
}
