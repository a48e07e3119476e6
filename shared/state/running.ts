/** What runs now, and which commit it is about; and which earlier failures a later run has superseded. */
import type { StatusReply } from '../api.ts'
import { actionOf } from '../actions.ts'
import type { Overview } from '../bridge.ts'
import { timeOfRun, shortCommit } from '../ids.ts'
import type { ResultDocument } from '../result.ts'
import type { Run } from '../run.ts'
import { standingStep } from '../steps.ts'
import { rollbackTarget, targetOf } from './serving.ts'

export interface RunningShip {
  readonly runId: string
  readonly step: string | null
  /** Milliseconds since the epoch. */
  readonly since: number
  /** null until it holds the lock of the repository and has frozen its commit. */
  readonly commit: string | null
}

export function runningShip({ ship }: Overview): RunningShip | null {
  if (ship?.active !== true) return null
  const { run_id, step, commit } = ship
  return { runId: run_id, step, since: timeOfRun(run_id), commit: commit ?? null }
}

/** The run that holds the lane of deploys. It also holds what must not run beside one, such as enrolling a key. */
export const runningDeploy = (status: StatusReply | null): Run | null =>
  status?.active_runs.find(({ lane }) => lane === 'deploy') ?? null

export const isDeploy = ({ action }: Pick<Run, 'action'>): boolean =>
  action === 'deploy_and_verify' || action === 'rollback'

/**
 * The commit that a running deploy brings, as the run itself says it. Before its checkout has passed it is what
 * origin/main holds, unless a ship runs that may move it meanwhile.
 */
export function commitOfDeploy(overview: Overview): string | null {
  const run = runningDeploy(overview.status)
  if (run === null || !isDeploy(run)) return null
  if (run.action === 'rollback') {
    const { to } = run.params
    return typeof to === 'string' ? to : rollbackTarget(overview.status)
  }
  const own = overview.deploy?.run_id === run.run_id ? overview.deploy.commit : null
  return own ?? (overview.ship?.active === true ? null : targetOf(overview))
}

/** The step of a running ship of `commit`. What another commit has passed says nothing about this one. */
export function shipStepOf(commit: string | null, ship: RunningShip | null): string | null {
  if (ship === null) return null
  // It writes down what it ships in preflight; until then there is nothing that it has passed.
  if (ship.commit === null) return 'preflight'
  return ship.commit === commit ? standingStep(ship.step ?? 'preflight') : null
}

/** The step of a running deploy of `commit`; a rollback says where another commit is. */
export function deployStepOf(commit: string | null, overview: Overview): string | null {
  const { deploy, status } = overview
  const run = runningDeploy(status)
  if (deploy === null || run?.action !== 'deploy_and_verify' || run.run_id !== deploy.run_id)
    return null
  const brings = commit !== null && commitOfDeploy(overview) === commit
  return brings ? standingStep(deploy.step ?? 'starting') : null
}

/** What a running run of the lane of deploys does, for a headline. */
export function titleOfDeploy({ action }: Pick<Run, 'action'>, commit: string | null): string {
  const target = commit === null ? null : shortCommit(commit)
  if (action === 'rollback') return target === null ? 'Rolling back' : `Rolling back to ${target}`
  if (action !== 'deploy_and_verify') return actionOf(action).title
  return `Deploying ${target ?? 'origin/main'}`
}

/**
 * How long a run of the host took, milliseconds: from its start to its end as the host records them. A result document
 * covers less, since it begins after the run was started.
 */
export function lengthOfRun(
  {
    run_id,
    started_at,
    finished_at,
  }: Pick<ResultDocument, 'run_id' | 'started_at' | 'finished_at'>,
  status: StatusReply | null,
): number {
  const row = status?.recent_deploys.find((run) => run.run_id === run_id)
  const from = row?.started_at ?? started_at
  const to = row?.finished_at ?? finished_at
  return Date.parse(to) - Date.parse(from)
}

/** The later run that has made an earlier failure past: the newest one that passed after it. */
export interface Supersession {
  readonly run_id: string
  readonly at: string
}

/**
 * Says whether a red run is past, because the host has passed the same thing since.
 * @returns null when the failure still stands
 */
export function supersededBy(
  run: Pick<Run, 'run_id' | 'action'>,
  status: StatusReply | null,
): Supersession | null {
  if (status === null) return null
  const later = isDeploy(run) ? greenDeploy(status) : greenCheck(run.action, status)
  return later !== null && later.run_id > run.run_id ? later : null
}

/** The ship that passed after this one, as far as the laptop and the host know; null when none did. */
export function laterShip(
  runId: string,
  { ship, ship_result, status }: Overview,
): Supersession | null {
  const passed = [ship?.result ?? null, ship_result, status?.last_ship.result ?? null]
    .filter((result) => result !== null)
    .filter(({ overall, run_id }) => overall === 'PASS' && run_id > runId)
    .toSorted((a, b) => b.run_id.localeCompare(a.run_id))
  return passed[0] === undefined ? null : { run_id: passed[0].run_id, at: passed[0].finished_at }
}

function greenDeploy({ state, recent_deploys }: StatusReply): Supersession | null {
  const passed = recent_deploys
    .filter(({ status, finished_at }) => status === 'passed' && finished_at !== null)
    .map(({ run_id, finished_at }) => ({ run_id, at: finished_at ?? '' }))
  if (state !== null)
    passed.push({ run_id: state.last_deploy_run_id, at: state.last_deploy_timestamp })
  return passed.toSorted((a, b) => b.run_id.localeCompare(a.run_id))[0] ?? null
}

function greenCheck(action: Run['action'], status: StatusReply): Supersession | null {
  const results = [
    status.last_doctor,
    status.last_guard,
    status.last_port_audit,
    status.last_selftest ?? null,
  ]
  const last = results.find((result) => result?.kind === action) ?? null
  return last?.overall === 'PASS' ? { run_id: last.run_id, at: last.finished_at } : null
}
