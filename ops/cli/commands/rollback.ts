import { Problem } from '#shared/errors'
import { commitId } from '#shared/ids'
import { attemptOf } from '#ops/features/deploy/attempt'
import { deployOnce } from '#ops/features/deploy/pipeline'
import { deployHost } from '#ops/features/deploy/state/facts'
import { deployUntilGreen } from '#ops/features/deploy/until-green'
import { eventsOut } from '#ops/core/pipeline/events-out'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { runThroughHostd } from '#ops/host/hostd-client/index'
import { cancelOnSignals, runContext } from '#ops/core/pipeline/run-context'

interface RollbackOptions {
  readonly to?: string
  readonly once?: boolean
  readonly json?: boolean
}

/**
 * `hq rollback`: to the last green commit before the one that serves, or to one that was green (`--to`), through hostd
 * and by the deploy's own pipeline. `--once` is one attempt of it.
 * @returns the exit code
 * @throws {Problem} `invalid_request` when `to` is no full commit id
 */
export async function run({ to, once = false, json = false }: RollbackOptions): Promise<number> {
  if (to !== undefined && !commitId.safeParse(to).success)
    throw new Problem(
      'invalid_request',
      `${JSON.stringify(to)} is not a full commit id. Nothing was started.`,
    )
  const context = runContext()
  const attempt = context.startedByRunner ? attemptOf(context.runId) : null
  if (once !== (attempt !== null))
    throw new Problem(
      'internal_error',
      'An attempt is started by deploy_until_green only, and by nothing else.',
    )
  if (!context.startedByRunner)
    return await runThroughHostd('rollback', to === undefined ? {} : { to }, { json })
  const signal = cancelOnSignals()
  const emit = eventsOut({ quiet: json })
  if (attempt === null) {
    const host = deployHost(context.runId)
    return exitCodeOf(
      await deployUntilGreen(host, {
        attempts: host.settings.deploy_attempts,
        plan: { kind: 'rollback', to: to ?? null },
        emit,
        signal,
      }),
    )
  }
  if (to === undefined)
    throw new Problem('internal_error', 'An attempt of a rollback is told its commit.')
  return exitCodeOf(
    await deployOnce(deployHost(context.runId, { rollbackTo: to, attempt: true }), {
      attempt,
      emit,
      signal,
    }),
  )
}
