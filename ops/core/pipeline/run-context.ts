import { newRunId, runId } from '#shared/ids'
import { eventsFdVariable } from './events-out.ts'

/** The run this process belongs to, as the runner handed it down, or a new one when a person typed the command. */
export interface RunContext {
  readonly runId: string
  /** True inside a run: do the work. False at a terminal: ask hostd to start it and follow. */
  readonly startedByRunner: boolean
  /** The deploy on whose behalf this runs: its doctor, its attempts. */
  readonly deployRunId: string | null
}

/** @throws {z.ZodError} when a variable is set and is no run id */
export function runContext(
  env: Readonly<Record<string, string | undefined>> = process.env,
): RunContext {
  const given = env['OPENCLAW_RUN_ID']
  const deploy = env['OPENCLAW_DEPLOY_RUN_ID']
  return {
    runId: given === undefined ? newRunId() : runId.parse(given),
    startedByRunner: given !== undefined && env[eventsFdVariable] !== undefined,
    deployRunId: deploy === undefined ? null : runId.parse(deploy),
  }
}

/** Cancels on SIGTERM, SIGINT and SIGHUP. The first asks the work to end; work that ends writes its result. */
export function cancelOnSignals(): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => abort.abort())
  return abort.signal
}
