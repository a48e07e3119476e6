import { Problem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import { deployResult, type DeployResult } from '#shared/result'
import { asFailed, resultFieldsOf } from '#ops/core/pipeline/documents'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { envValue, inheritedVariables, wholeEnvironment, type Environment } from '#ops/base/env'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { handHostFiles } from '#ops/core/config/host-files'
import { installRoot, programArgv } from '#ops/base/process/program'
import { currentFolder } from '#ops/core/host-state/releases'
import { runAction } from '#ops/core/pipeline/action-child'
import type { DeployHost } from './facts.ts'

/** `<run_id>/<n>`, in the environment of one attempt and of what belongs to it. */
export const attemptVariable = 'OPENCLAW_DEPLOY_ATTEMPT'
const attemptSeconds = 3600

/** The number of this attempt, or null when this process is none. @throws {Problem} `internal_error` when the variable is off */
export function attemptOf(runId: string, env: Environment = wholeEnvironment()): number | null {
  const text = envValue(attemptVariable, env)
  if (text === undefined) return null
  const [id, number = ''] = text.split('/')
  if (id !== runId || !/^[1-9]\d?$/.test(number))
    throw new Problem(
      'internal_error',
      `${attemptVariable} is ${JSON.stringify(text)}, which is no attempt of ${runId}.`,
    )
  return Number(number)
}

/** Where the next attempt is started from: a deploy that brought a new HQ can be finished by it. */
export const attemptInstall = (paths: HostPaths): string => currentFolder(paths) ?? installRoot()

interface AttemptStart {
  readonly runId: string
  readonly attempt: number
  readonly startedAt: string
}

/**
 * The result of an attempt that gave none, or none that can be trusted.
 * @param reported what the attempt did report; its steps and commit are kept
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
 * One attempt of deploy_until_green as a process of its own, its events handed on.
 * @param emit takes every event but the attempt's last: that is the return value
 */
export async function runAttempt(
  host: DeployHost,
  attempt: number,
  { emit, signal }: { emit: (event: EventBody) => void; signal: AbortSignal },
): Promise<DeployResult> {
  const { paths, runId, hostdUrl, hostdPort } = host
  const startedAt = new Date().toISOString()
  const marker = `${runId}/${attempt}`
  const install = attemptInstall(paths)
  const outcome = await runAction({
    argv: programArgv(
      'hq',
      host.rollbackTo === null
        ? ['deploy', '--once']
        : ['rollback', '--once', '--to', host.rollbackTo],
      install,
    ),
    cwd: '/',
    timeoutSeconds: attemptSeconds,
    signal,
    append: emit,
    tree: { marker: `${attemptVariable}=${marker}` },
    env: {
      ...inheritedVariables(['PATH', 'HOME', 'LANG', 'TMPDIR', 'SSH_AUTH_SOCK']),
      ...hostPathsEnv(paths),
      OPENCLAW_HQ_INSTALL: install,
      OPENCLAW_HOSTD_URL: hostdUrl,
      OPENCLAW_HOSTD_PORT: String(hostdPort),
      OPENCLAW_RUN_ID: runId,
      ...handHostFiles(host.files),
      [attemptVariable]: marker,
    },
  })
  const parsed = deployResult.safeParse(outcome.document)
  const result =
    parsed.success && parsed.data.run_id === runId && parsed.data.attempt === attempt
      ? parsed.data
      : null
  if (outcome.stopped)
    return result?.error_class === outcome.stopped.errorClass
      ? result
      : failedResult({ runId, attempt, startedAt }, outcome.stopped, result)
  if (result && outcome.exitCode === exitCodeOf(result)) return result
  const how =
    outcome.exitCode === null ? (outcome.signal ?? 'no exit code') : `exit code ${outcome.exitCode}`
  return failedResult(
    { runId, attempt, startedAt },
    new Problem(
      'action_no_result',
      `Attempt ${attempt} ended with ${how} and without a result that agrees.`,
    ),
    result,
  )
}
