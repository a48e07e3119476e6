import { newRunId } from '#shared/ids'
import { envValue, wholeEnvironment, type Environment } from '#ops/base/env'

/** The run this process belongs to, as the runner handed it down, or a new one when a person typed the command. */
export interface RunContext {
  readonly runId: string
  /** True inside a run: do the work. False at a terminal: request it from hostd and follow. */
  readonly startedByRunner: boolean
  /** The deploy on whose behalf this runs: its doctor, its attempts. */
  readonly deployRunId: string | null
}

/** @throws {Problem} `config_invalid` when a variable is set and is not the id of a run */
export function runContext(env: Environment = wholeEnvironment()): RunContext {
  const given = envValue('OPENCLAW_RUN_ID', env)
  return {
    runId: given ?? newRunId(),
    startedByRunner: given !== undefined && envValue('OPENCLAW_EVENTS_FD', env) !== undefined,
    deployRunId: envValue('OPENCLAW_DEPLOY_RUN_ID', env) ?? null,
  }
}

/** Cancels on SIGTERM, SIGINT and SIGHUP. The work then ends by itself and writes its result. */
export function cancelOnSignals(): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => abort.abort())
  return abort.signal
}
