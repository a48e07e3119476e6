/** Who holds maintenance mode, and what that keeps from happening. */
import type { Overview } from '../bridge.ts'
import { personName, personsMaintenance } from '../maintenance.ts'
import { runningDeploy } from './running.ts'

export interface Maintenance {
  readonly on: boolean
  /**
   * `person`: somebody put it on; only they end it. `run`: the deploy that runs now. `left`: a deploy that has ended
   * without a green end. `unreadable`: its file cannot be read, so it counts as a person's.
   */
  readonly held: 'nobody' | 'person' | 'run' | 'left' | 'unreadable'
  /** A person's name, as sentences name them. */
  readonly by: string | null
  readonly since: string | null
  readonly reason: string | null
  /** The deploy that holds it or left it on. */
  readonly run_id: string | null
}

const off: Maintenance = {
  on: false,
  held: 'nobody',
  by: null,
  since: null,
  reason: null,
  run_id: null,
}

export function maintenanceOf({ status }: Overview): Maintenance {
  if (status === null || !status.maintenance.on) return off
  const { file, unreadable } = status.maintenance
  const run_id = file?.deploy_run_id ?? null
  if (file === null) return { ...off, on: true, held: 'unreadable', reason: unreadable }
  const person = personsMaintenance(status.maintenance)
  if (person !== null)
    return { on: true, held: 'person', by: personName(person), ...timeAndReason(person), run_id }
  const held = runningDeploy(status)?.run_id === run_id ? 'run' : 'left'
  return { on: true, held, by: null, since: file.since, reason: file.reason, run_id }
}

const timeAndReason = ({
  since,
  reason,
}: {
  readonly since: string | null
  readonly reason: string | null
}) => ({ since, reason })

/** Whether it refuses deploys and rollbacks: a deploy neither adopts nor ends what a person has put on. */
export const refusesDeploys = ({ held }: Maintenance): boolean =>
  held === 'person' || held === 'unreadable'
