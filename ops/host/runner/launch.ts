import { compileCache, minimalEnv } from '#ops/base/env'
import { spawn, type ChildProcess } from 'node:child_process'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { runnerReply, type RunFile, type RunnerReply, type RunnerRequest } from '#shared/run'
import { parseJson } from '#ops/base/files/json-file'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { endTree } from '#ops/base/process/process-tree'
import { installRoot, programArgv } from '#ops/base/process/program'
import { redact } from '#ops/base/redact/redaction'
import { recordedTree } from './run-processes.ts'
import { sendBody, type RequestBody } from './request-body.ts'
import { requestFromUnit, startUnit } from './systemd-launch.ts'

export interface LaunchSettings {
  readonly paths: HostPaths
  /** Where the run's own clients find hostd. */
  readonly hostdUrl: string
  /**
   * Socket of the runner on a host with systemd: each run is a separate unit. null: a detached process group
   * (development).
   */
  readonly runnerSocket: string | null
}

/** The settings for the launcher that this host's settings name. */
export const launchSettings = (
  paths: HostPaths,
  hostdUrl: string,
  { launcher }: Pick<HostSettings, 'launcher'>,
): LaunchSettings => ({
  paths,
  hostdUrl,
  runnerSocket: launcher === 'systemd' ? paths.runnerSocket : null,
})

/**
 * Longest that a runner may take over a request that it answers, in milliseconds. A cancel takes up to 10 s and
 * then kills.
 */
const answerMs = 40_000
const tailBytes = 4096

/** The environment of a runner and of its action, built from nothing: only what is named here, never a token. */
export function runnerEnv(
  { paths, hostdUrl }: Pick<LaunchSettings, 'paths' | 'hostdUrl'>,
  run?: { run_id: string; deploy_run_id: string | null },
): Record<string, string> {
  const url = new URL(hostdUrl)
  return {
    ...minimalEnv(),
    ...compileCache(),
    ...hostPathsEnv(paths),
    OPENCLAW_HQ_INSTALL: installRoot(),
    OPENCLAW_HOSTD_URL: hostdUrl,
    OPENCLAW_HOSTD_PORT: url.port === '' ? '80' : url.port,
    ...(run ? { OPENCLAW_RUN_ID: run.run_id } : {}),
    ...(run?.deploy_run_id ? { OPENCLAW_DEPLOY_RUN_ID: run.deploy_run_id } : {}),
  }
}

function spawnRunner(
  request: RunnerRequest,
  settings: LaunchSettings,
  stdout: 'ignore' | 'pipe',
): ChildProcess {
  const [program, ...args] = programArgv('hq', ['runner'])
  const run = request.op === 'start' ? request : undefined
  const child = spawn(program, args, {
    cwd: '/',
    env: runnerEnv(settings, run),
    detached: true,
    stdio: ['pipe', stdout, 'pipe'],
  })
  // It may end without reading; how it ended says the rest.
  child.stdin?.on('error', () => undefined)
  child.stdin?.write(`${JSON.stringify(request)}\n`)
  return child
}

/** Last output of a runner on standard error: where it died, when it died before it could write anything else. */
function tailOf(child: ChildProcess): () => string {
  let tail = ''
  const redactor = redact.bytes()
  const keep = (bytes: Buffer): void => {
    tail = (tail + bytes.toString('utf8')).slice(-tailBytes)
  }
  child.stderr?.on('data', (chunk: Buffer) => keep(redactor.push(chunk)))
  child.stderr?.on('error', () => undefined) // as above
  return () => {
    keep(redactor.end())
    return tail.trim()
  }
}

export interface StartedRunner {
  /** null when systemd started it */
  readonly pid: number | null
  /**
   * Resolves when the process is gone, with why it could not start or how it ended. The run does not depend on
   * anybody waiting.
   */
  readonly ended: Promise<{ exitCode: number | null; signal: string | null; said: string }>
}

/**
 * Starts the runner of one run as a new session, which outlives this process (the development launcher).
 * @throws {Problem} `runner_start_failed` when there is no such program
 */
export async function startRunner(
  request: Extract<RunnerRequest, { op: 'start' }>,
  settings: LaunchSettings,
): Promise<StartedRunner> {
  if (settings.runnerSocket !== null) return await startUnit(request, settings.runnerSocket)
  const child = spawnRunner(request, settings, 'ignore')
  const said = tailOf(child)
  const ended = new Promise<{ exitCode: number | null; signal: string | null; said: string }>(
    (resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal, said: said() }))
    },
  )
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error) =>
      reject(
        new Problem(
          'runner_start_failed',
          `The runner of ${request.run_id} could not be started: ${error.message}. Nothing was run.`,
          { cause: error },
        ),
      ),
    )
  })
  child.stdin?.end()
  child.unref()
  for (const stream of [child.stderr, child.stdin])
    (stream as unknown as { unref?: () => void } | null)?.unref?.()
  if (child.pid === undefined)
    throw new Problem('runner_start_failed', `The runner of ${request.run_id} has no process id.`)
  return { pid: child.pid, ended }
}

/**
 * Sends one request to a fresh runner and waits for its one-line answer: cancel, maintenance, store_ship,
 * write_secret.
 * @param body follows the request line, when the request has one
 * @throws {Problem} with the class the runner gave; `internal_error` when it gave no answer
 */
export async function requestFromRunner(
  request: Exclude<RunnerRequest, { op: 'start' }>,
  settings: LaunchSettings,
  body?: RequestBody,
): Promise<Extract<RunnerReply, { ok: true }>> {
  if (settings.runnerSocket !== null)
    return saidYes(
      await requestFromUnit(request, settings.runnerSocket, { limitMs: answerMs, body }),
    )
  const child = spawnRunner(request, settings, 'pipe')
  const said = tailOf(child)
  let answer = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    answer = (answer + chunk.toString('utf8')).slice(0, 64 * 1024)
  })
  if (child.stdin) sendBody(body, child.stdin)
  const timer = setTimeout(() => child.kill('SIGKILL'), answerMs)
  try {
    const end = await new Promise<string>((resolve, reject) => {
      child.once('error', (error) =>
        reject(
          new Problem(
            'runner_start_failed',
            `The runner for ${request.op} could not be started: ${error.message}. Nothing was changed.`,
            { cause: error },
          ),
        ),
      )
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${String(code)}`))
    })
    if (answer.trim() === '')
      throw new Problem(
        'internal_error',
        `The runner gave no answer to ${request.op} (${end}). ${said()}`,
      )
    return saidYes(
      parseJson(answer, runnerReply, {
        errorClass: 'internal_error',
        origin: `The runner's answer to ${request.op}`,
      }),
    )
  } finally {
    clearTimeout(timer)
  }
}

function saidYes(reply: RunnerReply): Extract<RunnerReply, { ok: true }> {
  if (!reply.ok) throw new Problem(reply.error_class, reply.detail)
  return reply
}

/**
 * Ends whatever is left of a run whose runner is gone. On a host with systemd a fresh runner stops its unit, because an
 * unprivileged caller neither sees nor may end the run's processes.
 * @returns process ids that would not die
 * @throws {Problem} when the fresh runner could not do it
 */
export async function endLeftOf(record: RunFile, settings: LaunchSettings): Promise<number[]> {
  if (settings.runnerSocket === null) {
    const tree = recordedTree(record)
    return tree === null ? [] : await endTree(tree)
  }
  try {
    await requestFromRunner({ op: 'cancel', run_id: record.run_id, actor: 'hostd' }, settings)
  } catch (error) {
    // that there is no runner is what we know; its unit was stopped
    if (!(error instanceof Problem && error.errorClass === 'not_running')) throw error
  }
  return []
}
