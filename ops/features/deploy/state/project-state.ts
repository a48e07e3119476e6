// The project's state: written at the end of a green deploy, read back, and restored from the proof.
import { hostdPaths } from '#shared/hostd-paths'
import { join } from 'node:path'
import { projectStateReply } from '#shared/api'
import { Problem, toProblem } from '#shared/errors'
import { deployResult, projectState, type Pin, type ProjectState } from '#shared/result'
import { readAdminToken } from '#ops/core/config/admin-token'
import { endedDeploys } from '#ops/features/doctor/index'
import { requireReply } from '#ops/host/hostd-client/probe'
import { gitText } from '#ops/platform/git/run-git'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { nextActionFile, parseNextAction } from '#ops/core/config/next-action'
import type { HostPaths } from '#ops/base/paths/paths'
import type { DeployHost } from './facts.ts'
import { hostGit } from '#ops/platform/git/host-git'

/** The state as it stands in a deploy's proof. */
const stateCopy = 'project_state.json'

/** The next action that a commit names; null, with the reason, when its file has none that can be read. */
export async function nextActionOf(
  repo: string,
  sha: string,
  signal?: AbortSignal,
): Promise<{ action: string | null; why: string | null }> {
  try {
    const text = await gitText(repo, ['cat-file', 'blob', `${sha}:${nextActionFile}`], {
      ...(await hostGit(repo, signal)),
      errorClass: 'next_action_invalid',
    })
    return { action: parseNextAction(text), why: null }
  } catch (error) {
    const problem = toProblem(error)
    if (problem.errorClass !== 'next_action_invalid') throw problem
    return { action: null, why: problem.message }
  }
}

/**
 * Writes the project's state and reads it back through hostd: only what the API shows is written.
 * @param attempt `dir`: folder of the proof, which keeps a copy
 * @throws {Problem} `state_not_written`
 */
export async function writeState(
  { paths, hostdUrl, runId }: DeployHost,
  state: ProjectState,
  { dir, signal }: { readonly dir: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    writeJson(join(dir, stateCopy), state)
    writeJson(paths.projectState, state)
  } catch (error) {
    const problem = toProblem(error)
    throw new Problem(
      problem.errorClass === 'disk_full' ? 'disk_full' : 'state_not_written',
      `${paths.projectState} could not be written: ${problem.message}. The deploy runs, but it is not recorded.`,
      { cause: error },
    )
  }
  try {
    const shown = await requireReply({
      base: hostdUrl,
      path: hostdPaths.projectState,
      schema: projectStateReply,
      token: readAdminToken(paths.tokenFile),
      signal,
    })
    if (shown.state?.last_deploy_run_id !== runId)
      throw new Problem(
        'state_not_written',
        `hostd shows the state of ${shown.state?.last_deploy_run_id ?? 'no deploy'}, not of ${runId}.`,
      )
  } catch (error) {
    signal.throwIfAborted()
    const problem = toProblem(error)
    throw new Problem(
      'state_not_written',
      `The state was written but could not be read back: ${problem.message}`,
      { cause: problem },
    )
  }
}

/**
 * Puts back the state of the newest green deploy from its proof, when the file is missing or cannot be read.
 * @returns its run id; null when the file was good or no deploy was ever green
 */
export function restoreState(paths: HostPaths): string | null {
  try {
    if (readJson(paths.projectState, projectState, 'state_invalid')) return null
  } catch (error) {
    if (!(error instanceof Problem)) throw error // unreadable: this is what is restored
  }
  const proven = provenState(paths)
  if (proven === null) return null
  writeJson(paths.projectState, proven)
  return proven.last_deploy_run_id
}

/** The state that the newest green deploy left in its proof. */
function provenState(paths: HostPaths): ProjectState | null {
  for (const id of endedDeploys(paths)) {
    const folder = join(paths.artifacts, 'deploy', id)
    if (
      readJson(join(folder, 'deploy_result.json'), deployResult, 'state_invalid')?.overall !==
      'PASS'
    )
      continue
    const state = readJson(join(folder, stateCopy), projectState, 'state_invalid')
    if (state) return state
  }
  return null
}

/**
 * The pin of the last rollback, if it holds. A state that is lost or unreadable does not undo the pin: then its proof
 * counts.
 */
export function currentPin(paths: HostPaths): Pin | null {
  let state: ProjectState | null
  try {
    state = readJson(paths.projectState, projectState, 'state_invalid') ?? provenState(paths)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    state = provenState(paths)
  }
  return state?.pin ?? null
}
