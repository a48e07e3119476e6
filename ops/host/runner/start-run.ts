import { reserveSpace } from '#ops/base/files/reserve-space'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { actionOf, laneOf } from '#shared/actions'
import { Problem, toProblem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { ResultDocument } from '#shared/result'
import type { RunFile, RunnerRequest } from '#shared/run'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { describeIssues, writeJson } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'
import { bootId, identify } from '#ops/base/process/process-tree'
import { programArgv } from '#ops/base/process/program'
import { redact } from '#ops/base/redact/redaction'
import { writeDocument } from '#ops/base/redact/write-document'
import { RunLog } from '#ops/core/pipeline/run-log'
import { runAction, type ActionOutcome } from '#ops/core/pipeline/action-child'
import { runnerEnv, type LaunchSettings } from './launch.ts'
import { takeLock } from '#ops/base/files/lock'
import {
  laneLockFile,
  noteLaneHolder,
  readLaneHolder,
  runLockFile,
} from '#ops/core/host-state/locks'
import { retainAfter } from './retention.ts'
import { failDocument } from '#ops/core/pipeline/documents'
import { runJsonFile, runLogFile, runResultFile } from './run-files.ts'
import { sealRun } from './seal-run.ts'
import { processGroup, runMarker } from './run-processes.ts'
import { currentUnit } from './systemd-unit.ts'

type RunSettings = Pick<LaunchSettings, 'paths' | 'hostdUrl'>
type StartRequest = Extract<RunnerRequest, { op: 'start' }>

/** A holder that has just written its result is given this long to release the lock, milliseconds. */
const lockWaitMs = 5000
/** Kept free on the disk for the result document of a run whose log fills the disk, bytes. */
const reserveBytes = 64 * 1024

const now = (): string => new Date().toISOString()

/**
 * One run, from its folder to its result. Everything is checked again here: the caller is not trusted.
 *
 * @param signal fires for a cancel
 * @returns the result document that was written
 * @throws {Problem} `invalid_request` when the request is refused before anything was written; `runner_start_failed`
 *   when the run exists already
 */
export async function startRun(
  request: StartRequest,
  settings: RunSettings,
  signal: AbortSignal,
): Promise<ResultDocument> {
  const { paths } = settings
  const action = actionOf(request.action)
  const params = action.params.safeParse(request.params)
  if (!params.success)
    throw new Problem(
      'invalid_request',
      `The parameters of ${request.action} are refused: ${describeIssues(params.error)}.`,
    )
  const runLock = await takeLock(runLockFile(paths, request.run_id), lockWaitMs)
  if (runLock === null)
    throw new Problem('runner_start_failed', `Run ${request.run_id} has a runner already.`)
  const folder = runFolder(paths.runs, request.run_id)
  mkdirSync(dirname(folder), { recursive: true })
  try {
    mkdirSync(folder)
  } catch (error) {
    throw new Problem(
      'runner_start_failed',
      `The folder of run ${request.run_id} cannot be made: ${String(error)}.`,
      { cause: error },
    )
  }
  const log = new RunLog(runLogFile(paths, request.run_id))
  const record = recordOf(request, params.data)
  writeJson(runJsonFile(paths, request.run_id), record)

  const append = (event: EventBody, redacted = false): void => {
    log.append(event, { redacted })
  }
  const reserve = join(folder, '.reserve')
  let result: ResultDocument
  try {
    reserveSpace(reserve, reserveBytes)
    result = await inLane(record, settings, { signal, append })
  } catch (error) {
    const problem = toProblem(error)
    result = failDocument(record, problem)
  }
  rmSync(reserve, { force: true })
  result = finishLog(log, record, redact.json(result))
  writeDocument(runResultFile(paths, request.run_id), result)
  runLock.release()
  // Everybody has the result by now; what is left to do here keeps nobody waiting.
  await retainAfter(paths, record.action, (text) => process.stderr.write(`${text}\n`))
  return result
}

function recordOf(request: StartRequest, params: Record<string, unknown>): RunFile {
  const self = identify(process.pid)
  if (self === null)
    throw new Problem('internal_error', 'The runner cannot see itself in the process table.')
  return {
    schema_version: 1,
    run_id: request.run_id,
    action: request.action,
    lane: laneOf(request.action, params),
    params,
    actor: request.actor,
    deploy_run_id: request.deploy_run_id,
    requested_at: request.requested_at,
    started_at: now(),
    unit: currentUnit(),
    pid: self.pid,
    pgid: self.pgid,
    start_time: self.start_time,
    boot_id: bootId(),
  }
}

interface RunIO {
  readonly signal: AbortSignal
  readonly append: (event: EventBody, redacted?: boolean) => void
}

/** The action under the lock of its lane. */
async function inLane(
  record: RunFile,
  settings: RunSettings,
  { signal, append }: RunIO,
): Promise<ResultDocument> {
  const { paths } = settings
  const laneLock = await takeLock(laneLockFile(paths, record.lane), lockWaitMs)
  if (laneLock === null) {
    const holder = readLaneHolder(paths, record.lane)
    const who =
      holder === null
        ? 'another run'
        : `run ${holder.run_id} (${holder.action}, process ${holder.pid})`
    throw new Problem(
      'lane_busy',
      `${record.action} was not started: the lane ${record.lane} is held by ${who}. That run goes on.`,
    )
  }
  try {
    if (signal.aborted)
      throw signal.reason instanceof Problem
        ? signal.reason
        : new Problem('cancelled', 'The run was cancelled before its action was started.')
    noteLaneHolder(paths, record.lane, {
      run_id: record.run_id,
      action: record.action,
      pid: record.pid,
      since: record.started_at,
    })
    const action = actionOf(record.action)
    const outcome = await runAction({
      argv: programArgv('hq', action.argv(record.params)),
      cwd: '/',
      env: runnerEnv(settings, record),
      timeoutSeconds: action.timeout_seconds,
      tree: { ...processGroup(), marker: runMarker(record.run_id) },
      signal,
      append,
    })
    const document = judge(record, outcome)
    if (outcome.left.length === 0)
      await sealRun(paths, record, {
        document,
        say: (text) => append({ type: 'log', time: now(), step: null, stream: 'hq', text }),
      })
    return document
  } finally {
    laneLock.release()
  }
}

/** The document the run ends with. A PASS needs the action's own word, its exit code, and nothing that stopped it. */
function judge(
  record: RunFile,
  { exitCode, signal, document, stopped, left }: ActionOutcome,
): ResultDocument {
  const own = document?.run_id === record.run_id ? document : null
  const agrees = own !== null && exitCode === exitCodeOf(own)
  if (left.length > 0)
    return failDocument(
      record,
      {
        errorClass: 'internal_error',
        message: `Processes of the run did not end: ${left.join(', ')}.`,
      },
      own,
    )
  if (stopped !== null) {
    // It had ended by itself before the stop reached it: its own result counts, unless that could not be logged.
    const finishedFirst =
      agrees &&
      own.overall === 'PASS' &&
      ['cancelled', 'interrupted', 'step_timeout'].includes(stopped.errorClass)
    if (finishedFirst || (agrees && own.error_class === stopped.errorClass)) return own
    return failDocument(record, stopped, own)
  }
  if (agrees) return own
  const end = signal === null ? `exit code ${String(exitCode)}` : signal
  const message = `The action ${disagreement(document, own)} and ended with ${end}.`
  return failDocument(record, { errorClass: 'action_no_result', message }, own)
}

/** @param own the document, when it is of this run */
function disagreement(document: ResultDocument | null, own: ResultDocument | null): string {
  if (document === null) return 'gave no result document'
  return own === null
    ? `gave the result of another run (${document.run_id})`
    : `gave a document that says ${own.overall}`
}

/** Writes the last event of the log. @returns the result, which is no longer a PASS when its log cannot be finished */
function finishLog(log: RunLog, record: RunFile, result: ResultDocument): ResultDocument {
  try {
    const detail = result['detail']
    if (result.overall === 'FAIL' && typeof detail === 'string')
      log.append({
        type: 'log',
        time: now(),
        step: null,
        stream: 'hq',
        text: `${result.error_class ?? 'FAIL'}: ${detail}`,
      })
    log.append({ type: 'run_finished', time: now(), result })
    return result
  } catch (error) {
    const problem = toProblem(error)
    return result.overall === 'FAIL'
      ? result
      : failDocument(
          record,
          {
            errorClass: problem.errorClass,
            message: `The action ended PASS, but the end of its log could not be written: ${problem.message}`,
          },
          result,
        )
  } finally {
    log.close()
  }
}
