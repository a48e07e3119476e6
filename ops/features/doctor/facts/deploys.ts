// What the deploys of this host left behind.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { runIdPattern, shortCommit } from '#shared/ids'
import { deployResult, projectState, type DeployResult } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { fail, pass, skip, type Finding } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { readServing } from '#ops/core/host-state/service-record'
import { cloneOf, hasClone } from './clone.ts'

/** Ids of deploys that have ended, newest first. */
export function endedDeploys(paths: HostPaths): string[] {
  const base = join(paths.artifacts, 'deploy')
  if (!existsSync(base)) return []
  return readdirSync(base)
    .filter((name) => runIdPattern.test(name) && existsSync(join(base, name, 'deploy_result.json')))
    .toSorted()
    .toReversed()
}

/** @throws {Problem} `state_invalid` when the file is not a result document */
export const readDeployResult = (paths: HostPaths, id: string): DeployResult | undefined =>
  readJson(join(paths.artifacts, 'deploy', id, 'deploy_result.json'), deployResult, 'state_invalid')

/** Has a deploy of this host ever ended green? Only then must there be a state. */
const wasEverGreen = (paths: HostPaths): boolean =>
  endedDeploys(paths).some((id) => readDeployResult(paths, id)?.overall === 'PASS')

/** A missing state is right only on a host that was never green. @throws {Problem} `state_invalid` */
export function stateFinding(paths: HostPaths): Finding {
  const state = readJson(paths.projectState, projectState, 'state_invalid')
  if (state)
    return pass(
      `verified ${shortCommit(state.last_verified_head)} at ` +
        `${state.last_deploy_timestamp} (${state.last_deploy_run_id})`,
    )
  return wasEverGreen(paths)
    ? fail(`${paths.projectState} is missing, although a deploy has been green.`, 'deploy_again')
    : skip('No deploy of this host has been green yet.')
}

/**
 * Has no deploy of this host started anything yet? Until then the clone and the trust file may be missing: a check that
 * reads them is skipped. Within a deploy both must exist.
 */
export const isBeforeFirstDeploy = ({
  paths,
  deployRunId,
}: Pick<DoctorContext, 'paths' | 'deployRunId'>): boolean =>
  deployRunId === null &&
  endedDeploys(paths).length === 0 &&
  readServing(paths) === undefined &&
  !existsSync(paths.projectState)

/** Why the clone cannot be checked yet; null when it must exist. */
export const noCloneYet = (context: DoctorContext): Finding | null =>
  !hasClone(context) && isBeforeFirstDeploy(context)
    ? skip(`${context.paths.root} is not a clone yet; the first deploy needs one.`)
    : null

/** The checked-out commit. @throws {Problem} `git_sync_failed` when nothing is checked out */
export async function headOf(context: DoctorContext): Promise<string> {
  const { head } = await cloneOf(context)
  if (head === null)
    throw new Problem(
      'git_sync_failed',
      `The clone ${context.paths.root} has no commit checked out.`,
    )
  return head.sha
}
