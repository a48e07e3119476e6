/** Everything that the situations are decided by, worked out once from what is known. */
import type { Overview } from '../bridge.ts'
import { shortCommit } from '../ids.ts'
import { evidenceOf, newestCommit } from './evidence.ts'
import { buttonsOf, type Buttons } from './buttons.ts'
import { connectorsOf, type ConnectorStanding } from './connectors.ts'
import { gatesOf, type Change } from './gates.ts'
import { maintenanceOf, type Maintenance } from './maintenance.ts'
import { troublesOf, type ProofTrouble } from './proof.ts'
import { reachOf, type Reach } from './reach.ts'
import {
  commitOfDeploy,
  deployStepOf,
  runningDeploy,
  runningShip,
  shipStepOf,
  type RunningShip,
} from './running.ts'
import {
  pinOf,
  rollbackTarget,
  servingOf,
  targetOf,
  type PinState,
  type Serving,
} from './serving.ts'
import { hostStandings, type HostStanding } from './hosts.ts'
import type { Run } from '../run.ts'

export interface Known {
  readonly overview: Overview
  /** Milliseconds since the epoch. */
  readonly now: number
  /** HQ itself does not answer this page. */
  readonly cut: boolean
}

export interface Standing extends Known {
  readonly reach: Reach
  readonly change: Change
  /** The commit of the newest change, short; null without one. */
  readonly commit: string | null
  /** First line of its message, when it is the head of the repository. */
  readonly subject: string | null
  readonly troubles: readonly ProofTrouble[]
  readonly serving: Serving
  /** *abc1234 serves*, when something does. */
  readonly serves: string | null
  /** What a deploy would bring. */
  readonly target: string | null
  /** Where Roll back goes; null: nowhere. */
  readonly rollbackTo: string | null
  readonly pin: PinState | null
  readonly ship: RunningShip | null
  /** The run that holds the lane of deploys, and the commit it brings. */
  readonly deploy: Run | null
  readonly deployCommit: string | null
  readonly maintenance: Maintenance
  /** Empty: nothing is known of them. */
  readonly connectors: readonly ConnectorStanding[]
  readonly buttons: Buttons
  /** Every enrolled host, the selected one first; empty in the console. */
  readonly hosts: readonly HostStanding[]
}

export function standingOf(known: Known): Standing {
  const { overview, now, cut } = known
  const { status, repository } = overview
  const reach = reachOf(overview, now, cut)
  const troubles = troublesOf(overview)
  const change = changeOf(overview, troubles)
  const serving = servingOf(overview, troubles)
  const pin = pinOf(overview)
  const maintenance = maintenanceOf(overview)
  return {
    ...known,
    reach,
    change,
    commit: change.commit === null ? null : shortCommit(change.commit),
    subject: repository?.head === change.commit ? (repository?.subject ?? null) : null,
    troubles,
    serving,
    serves: serving.commit === null ? null : `${shortCommit(serving.commit)} serves`,
    target: targetOf(overview),
    rollbackTo: rollbackTarget(status),
    pin,
    ship: runningShip(overview),
    deploy: runningDeploy(status),
    deployCommit: commitOfDeploy(overview),
    maintenance,
    connectors: connectorsOf(overview, now),
    buttons: buttonsOf({ overview, reach, maintenance, pin }),
    hosts: cut ? [] : hostStandings(overview, now),
  }
}

function changeOf(overview: Overview, troubles: readonly ProofTrouble[]): Change {
  const commit = newestCommit(overview)
  const { result, copies } = evidenceOf(commit, overview)
  return gatesOf({
    commit,
    ship: result,
    shipCopies: copies,
    shipStep: shipStepOf(commit, runningShip(overview)),
    status: overview.status,
    deployStep: deployStepOf(commit, overview),
    troubles,
    alarmed: (overview.proof_alarms ?? []).length > 0,
    remote: overview.repository?.remote ?? null,
  })
}
