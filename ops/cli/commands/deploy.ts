import { Problem } from '#shared/errors'
import { attemptOf } from '#ops/features/deploy/attempt'
import { deployOnce } from '#ops/features/deploy/pipeline'
import { deployHost } from '#ops/features/deploy/state/facts'
import { deployUntilGreen } from '#ops/features/deploy/until-green'
import { eventsOut } from '#ops/core/pipeline/events-out'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { runThroughHostd } from '#ops/host/hostd-client/index'
import { cancelOnSignals, runContext } from '#ops/core/pipeline/run-context'
import { withLock } from '#ops/base/files/lock'
import { laneLockFile } from '#ops/core/host-state/locks'

interface DeployOptions {
  readonly once?: boolean
  readonly unpin?: boolean
  readonly json?: boolean
}

/**
 * `hq deploy`: deploy_until_green, through hostd. `--once`: one deploy_pipeline under the lock of the deploy lane;
 * within a deploy it is one attempt. `--unpin`: also deploys the commit that a rollback left.
 * @returns the exit code
 */
export async function run({
  once = false,
  unpin = false,
  json = false,
}: DeployOptions): Promise<number> {
  const context = runContext()
  if (!context.startedByRunner && !once)
    return await runThroughHostd('deploy_and_verify', unpin ? { unpin } : {}, { json })
  const signal = cancelOnSignals()
  const attempt = context.startedByRunner ? attemptOf(context.runId) : null
  const host = deployHost(context.runId, { attempt: attempt !== null })
  const emit = eventsOut({ quiet: json })
  if (context.startedByRunner) {
    if (once !== (attempt !== null))
      throw new Problem('internal_error', 'Only deploy_until_green starts an attempt.')
    const result =
      attempt === null
        ? await deployUntilGreen(host, {
            attempts: host.settings.deploy_attempts,
            plan: { kind: 'deploy', unpin },
            emit,
            signal,
          })
        : await deployOnce(host, { attempt, emit, signal })
    return exitCodeOf(result)
  }
  const busy = (): Problem =>
    new Problem('lane_busy', 'Another deploy is running. Nothing was started.')
  const plan = { kind: 'deploy', unpin } as const
  const result = await withLock(laneLockFile(host.paths, 'deploy'), { waitMs: 1000, busy }, () =>
    deployUntilGreen(host, { attempts: 1, plan, emit, signal }),
  )
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  return exitCodeOf(result)
}
