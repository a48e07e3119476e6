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
 * `hq rollback`: deploys the last green commit before the one that serves, or the green commit of `--to`, through hostd
 * and with the pipeline of a deploy. `--once` is one attempt of it.
 * @returns the exit code
 * @throws {Problem} `invalid_request` when `to` is not a full commit id
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
    throw new Problem('internal_error', 'Only deploy_until_green starts an attempt.')
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
    throw new Problem('internal_error', 'An attempt of a rollback must name its commit.')
  return exitCodeOf(
    await deployOnce(deployHost(context.runId, { rollbackTo: to, attempt: true }), {
      attempt,
      emit,
      signal,
    }),
  )
}
