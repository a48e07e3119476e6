// One attempt of deploy_until_green, as a separate process.
import { Problem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import { deployResult, type DeployResult } from '#shared/result'
import {
  compileCache,
  envValue,
  inheritedVariables,
  wholeEnvironment,
  type Environment,
} from '#ops/base/env'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { installRoot, programArgv } from '#ops/base/process/program'
import { passHostFiles } from '#ops/core/config/host-files'
import { currentFolder } from '#ops/core/host-state/releases'
import { runAction, type ActionOutcome } from '#ops/core/pipeline/action-child'
import { asFailed, resultFieldsOf } from '#ops/core/pipeline/documents'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import type { DeployHost } from './state/facts.ts'

/** `<run_id>/<n>`, in the environment of one attempt and of what belongs to it. */
export const attemptVariable = 'OPENCLAW_DEPLOY_ATTEMPT'
const attemptSeconds = 3600

/**
 * The number of the attempt that this process runs; null when it runs none.
 * @throws {Problem} `internal_error` when the variable does not name an attempt of this run
 */
export function attemptOf(runId: string, env: Environment = wholeEnvironment()): number | null {
  const text = envValue(attemptVariable, env)
  if (text === undefined) return null
  const [id, number = ''] = text.split('/')
  if (id !== runId || !/^[1-9]\d?$/.test(number))
    throw new Problem(
      'internal_error',
      `${attemptVariable} is ${JSON.stringify(text)}, which is not an attempt of ${runId}.`,
    )
  return Number(number)
}

/** The installation that runs the next attempt: a deploy that brought a new HQ can be finished by it. */
export const attemptInstall = (paths: HostPaths): string => currentFolder(paths) ?? installRoot()

interface AttemptStart {
  readonly runId: string
  readonly attempt: number
  readonly startedAt: string
}

/**
 * The result of an attempt whose own result is missing, or contradicts how the attempt ended.
 * @param reported what the attempt itself reported; its steps and commit are kept
 */
export function failedResult(
  { runId, attempt, startedAt }: AttemptStart,
  { errorClass }: Problem,
  reported: DeployResult | null = null,
): DeployResult {
  const fields = resultFieldsOf({ runId, startedAt }, { errorClass })
  if (reported !== null)
    return asFailed(
      { ...reported, run_id: runId, attempt, finished_at: fields.finished_at },
      { errorClass, step: reported.step_failed },
    )
  return {
    ...fields,
    attempt,
    target_sha: null,
    previous_sha: null,
    engine: null,
    unanswered_ms: null,
  }
}

/**
 * Runs one attempt and passes its events on.
 * @param emit receives every event but the attempt's last: that is the return value
 */
export async function runAttempt(
  host: DeployHost,
  attempt: number,
  { emit, signal }: { emit: (event: EventBody) => void; signal: AbortSignal },
): Promise<DeployResult> {
  const startedAt = new Date().toISOString()
  const marker = `${host.runId}/${attempt}`
  const install = attemptInstall(host.paths)
  const args =
    host.rollbackTo === null
      ? ['deploy', '--once']
      : ['rollback', '--once', '--to', host.rollbackTo]
  const outcome = await runAction({
    argv: programArgv('hq', args, install),
    cwd: '/',
    timeoutSeconds: attemptSeconds,
    signal,
    append: emit,
    tree: { marker: `${attemptVariable}=${marker}` },
    env: attemptEnv(host, install, marker),
  })
  return resultOf(outcome, { runId: host.runId, attempt, startedAt })
}

const attemptEnv = (
  { paths, files, runId, hostdUrl, hostdPort }: DeployHost,
  install: string,
  marker: string,
): Record<string, string> => ({
  ...inheritedVariables(['PATH', 'HOME', 'LANG', 'TMPDIR', 'SSH_AUTH_SOCK']),
  ...compileCache(),
  ...hostPathsEnv(paths),
  OPENCLAW_HQ_INSTALL: install,
  OPENCLAW_HOSTD_URL: hostdUrl,
  OPENCLAW_HOSTD_PORT: String(hostdPort),
  OPENCLAW_RUN_ID: runId,
  ...passHostFiles(files),
  [attemptVariable]: marker,
})

function resultOf(outcome: ActionOutcome, about: AttemptStart): DeployResult {
  const parsed = deployResult.safeParse(outcome.document)
  const isOurs =
    parsed.success && parsed.data.run_id === about.runId && parsed.data.attempt === about.attempt
  const result = isOurs ? parsed.data : null
  if (outcome.stopped)
    return result?.error_class === outcome.stopped.errorClass
      ? result
      : failedResult(about, outcome.stopped, result)
  if (result && outcome.exitCode === exitCodeOf(result)) return result
  const how =
    outcome.exitCode === null ? (outcome.signal ?? 'no exit code') : `exit code ${outcome.exitCode}`
  const problem = new Problem(
    'action_no_result',
    `Attempt ${about.attempt} ended with ${how}, but its result does not agree with that.`,
  )
  return failedResult(about, problem, result)
}
