/** A run in words of the page: its title, and when it started. */
import { actionOf } from '#shared/actions'
import type { Overview } from '#shared/bridge'
import type { Run } from '#shared/run'
import { count } from '../text/format.ts'

export const titleOfRun = (run: Pick<Run, 'action'>): string => actionOf(run.action).title
/** Milliseconds since the epoch. */
export const startOf = (run: Run): number => Date.parse(run.started_at ?? run.requested_at)
export const commitsToShip = ({ repository }: Pick<Overview, 'repository'>): string =>
  count(repository?.ahead ?? 0, 'commit')
