import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import { deployResult, projectState } from '#shared/result'
import { readServing } from '#ops/core/host-state/service-record'
import { readJson } from '#ops/base/files/json-file'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import type { HostPaths } from '#ops/base/paths/paths'
import { fail, pass, skip, warn, type Check, type Finding } from '#ops/core/checks/check'
import { cloneOf, hasClone, originRef, originTip } from './clone.ts'
import type { DoctorContext } from '#ops/core/checks/context'

/** Ids of deploys that have ended, newest first. */
export function endedDeploys(paths: HostPaths): string[] {
  const base = join(paths.artifacts, 'deploy')
  if (!existsSync(base)) return []
  return readdirSync(base)
    .filter((name) => runIdPattern.test(name) && existsSync(join(base, name, 'deploy_result.json')))
    .toSorted()
    .toReversed()
}

/** Has any deploy of this host ever ended green? Only then must there be a state. */
export const wasEverGreen = (paths: HostPaths): boolean =>
  endedDeploys(paths).some(
    (id) =>
      readJson(
        join(paths.artifacts, 'deploy', id, 'deploy_result.json'),
        deployResult,
        'state_invalid',
      )?.overall === 'PASS',
  )

/**
 * Has no deploy of this host got anywhere yet? Until the first one there may be no clone and no trust file: what needs
 * them cannot be judged and is no failure. Within a deploy there must be both.
 */
export const isBeforeFirstDeploy = ({
  paths,
  deployRunId,
}: Pick<DoctorContext, 'paths' | 'deployRunId'>): boolean =>
  deployRunId === null &&
  endedDeploys(paths).length === 0 &&
  readServing(paths) === undefined &&
  !existsSync(paths.projectState)

/** Why the clone cannot be judged yet; null when it must be there. */
const noCloneYet = (context: DoctorContext): Finding | null =>
  !hasClone(context) && isBeforeFirstDeploy(context)
    ? skip(`${context.paths.root} is no clone yet; the first deploy needs one.`)
    : null

/** Absent is right only on a host that was never green. */
export function stateFinding(paths: HostPaths): Finding {
  const state = readJson(paths.projectState, projectState, 'state_invalid')
  if (state)
    return pass(
      `verified ${state.last_verified_head.slice(0, 12)} at ${state.last_deploy_timestamp} (${state.last_deploy_run_id})`,
    )
  return wasEverGreen(paths)
    ? fail(`${paths.projectState} is missing, although a deploy has been green.`, 'deploy_again')
    : skip('No deploy of this host has been green yet.')
}

/** Inside a deploy a state that cannot be read is not doctor's verdict: the deploy has judged it, and writes it anew at its end. */
function ownStateFinding({ paths, deployRunId }: DoctorContext): Finding {
  try {
    return stateFinding(paths)
  } catch (error) {
    if (deployRunId === null || !(error instanceof Problem)) throw error
    return warn(`${error.message}; this deploy writes it anew`, 'deploy_again')
  }
}

async function headFinding(context: DoctorContext): Promise<Finding> {
  const { paths, deployRunId } = context
  const missing = noCloneYet(context)
  if (missing) return missing
  const head = await headOf(context)
  // Inside a deploy the state still names the commit before: what counts is what was brought up.
  const wanted =
    deployRunId === null
      ? readJson(paths.projectState, projectState, 'state_invalid')?.target_sha
      : readServing(paths)?.sha
  if (wanted === undefined) return skip(`HEAD is ${head}; no deploy has set a target yet.`)
  return head === wanted
    ? pass(`HEAD is ${head}, the target`)
    : fail(`HEAD is ${head}; the target is ${wanted}.`, 'deploy_again')
}

/** @throws {Problem} `git_sync_failed` when nothing is checked out */
async function headOf(context: DoctorContext): Promise<string> {
  const { head } = await cloneOf(context)
  if (head === null)
    throw new Problem(
      'git_sync_failed',
      `The clone ${context.paths.root} has no commit checked out.`,
    )
  return head.sha
}

async function driftFinding(context: DoctorContext): Promise<Finding> {
  const { paths, deployRunId } = context
  const missing = noCloneYet(context)
  if (missing) return missing
  const [head, { sha: remote, why }] = await Promise.all([headOf(context), originTip(context)])
  const ref = originRef(context)
  if (why !== null) return warn(`origin does not answer: ${why}`, 'retry_when_reachable')
  if (remote === null) return warn(`origin has no ${ref}.`, 'deploy_again')
  // Inside a deploy the state is still the one before, and its own check judges whether it can be read.
  const pinned =
    deployRunId === null
      ? readJson(paths.projectState, projectState, 'state_invalid')?.pin
      : undefined
  if (pinned && remote === pinned.from_sha)
    return warn(
      `drift: pinned by rollback ${pinned.run_id}: HEAD is ${head}, origin's ${ref} is ${remote}`,
      'ship_or_unpin',
    )
  return remote === head
    ? pass(`origin's ${ref} is ${head} too`)
    : warn(`drift: origin's ${ref} is ${remote}, HEAD is ${head}`, 'deploy_again')
}

function lastDeployFinding({ paths, deployRunId }: DoctorContext): Finding {
  const id = endedDeploys(paths).find((each) => each !== deployRunId)
  if (id === undefined) return skip('No deploy has ended yet.')
  const result = readJson(
    join(paths.artifacts, 'deploy', id, 'deploy_result.json'),
    deployResult,
    'state_invalid',
  )
  if (result?.overall === 'PASS') return pass(`${id} passed at ${result.finished_at}`)
  // Not a failure of the host: what serves is judged by the other checks, and the deploy shows its own.
  return warn(
    `${id} failed: ${result?.error_class ?? 'unknown'} in ${result?.step_failed ?? 'no step'}`,
    result?.next_auto_fix ?? 'deploy_again',
  )
}

const age = (since: string): string => {
  const minutes = Math.round((Date.now() - Date.parse(since)) / 60_000)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

function maintenanceFinding({ paths, deployRunId }: DoctorContext): Finding {
  const { on, unreadable, file } = readMaintenance(paths)
  if (unreadable !== null)
    return fail(
      `The maintenance file cannot be read, so maintenance counts as on: ${unreadable}`,
      'repair_artifacts_folder',
    )
  if (!on || !file) return pass('Maintenance mode is off.')
  if (deployRunId !== null && file.deploy_run_id === deployRunId)
    return pass('Maintenance mode is on for this deploy.')
  return warn(`Maintenance mode has been on for ${age(file.since)}: ${file.reason}`, 'deploy_again')
}

/** What the deploys left on this host. */
export const deployChecks = (context: DoctorContext): Check[] => [
  { name: 'git_head', remedy: 'deploy_again', run: () => headFinding(context) },
  {
    name: 'git_drift',
    remedy: 'retry_when_reachable',
    late: 'WARN',
    run: () => driftFinding(context),
  },
  { name: 'project_state', remedy: 'deploy_again', run: () => ownStateFinding(context) },
  { name: 'last_deploy', remedy: 'deploy_again', run: () => lastDeployFinding(context) },
  { name: 'maintenance', remedy: 'deploy_again', run: () => maintenanceFinding(context) },
]
