import { setVariables, wholeEnvironment } from '#ops/base/env'
import { newRunId, runId as runIdSchema } from '#shared/ids'
import { Problem } from '#shared/errors'
import { eventsOut } from '#ops/core/pipeline/events-out'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { hqHome } from '#ops/base/paths/paths'
import { cancelOnSignals } from '#ops/core/pipeline/run-context'
import { installPushHook } from '#ops/features/ship/hook/install-hook'
import { runShip } from '#ops/features/ship/run-ship'
import { sayError } from '#ops/base/redact/crash-output'

interface ShipCommand {
  readonly repo: string
  readonly runId?: string
  readonly json?: boolean
  readonly init?: boolean
  /** At most this many repairs; absent: none. */
  readonly untilGreen?: number
}

/** `hq ship --init`. @throws {Problem} `not_a_repository`, `hook_manager_present` */
async function initHook(repo: string): Promise<number> {
  const changed = await installPushHook(repo, wholeEnvironment())
  console.log(
    changed.length === 0
      ? 'The pre-push hook is installed; nothing to change.'
      : changed.join('\n'),
  )
  return 0
}

/**
 * `hq ship`: ships the checked-out commit of `repo`.
 * @returns the exit code
 * @throws {Problem} `not_a_repository`; `invalid_request` for a bad or used run id
 */
export async function run({
  repo,
  runId: given,
  json = false,
  init = false,
  untilGreen = 0,
}: ShipCommand): Promise<number> {
  if (init) return initHook(repo)
  const parsed = runIdSchema.safeParse(given ?? newRunId())
  if (!parsed.success)
    throw new Problem(
      'invalid_request',
      `${JSON.stringify(given)} is not a run id. Nothing was started.`,
    )
  // Every program of this ship inherits it, so that the next ship can find and end what a killed ship left.
  setVariables({ OPENCLAW_RUN_ID: parsed.data })
  const result = await runShip({
    repo,
    runId: parsed.data,
    home: hqHome(),
    env: wholeEnvironment(),
    repairs: untilGreen,
    emit: eventsOut({ quiet: json }),
    signal: cancelOnSignals(),
    warn: sayError,
  })
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  return exitCodeOf(result)
}
