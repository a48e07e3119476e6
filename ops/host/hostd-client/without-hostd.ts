import { setTimeout as delay } from 'node:timers/promises'
import type { ActionId } from '#shared/actions'
import { Problem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { newRunId } from '#shared/ids'
import type { ResultDocument } from '#shared/result'
import { followRunLog } from '#ops/core/pipeline/run-log'
import { hostdUrl, hostPaths } from '#ops/base/paths/paths'
import { launchSettings, startRunner } from '#ops/host/runner/launch'
import { readRunResult, runLogFile } from '#ops/host/runner/run-files'
import { readHostSettings } from '#ops/core/config/settings-files'

/**
 * Runs an action while hostd is unreachable: the same runner under the same locks. hostd adds the folder to its index
 * later. The run goes on if the caller stops.
 * @returns the result document
 * @throws {Problem} `runner_start_failed`; `runner_lost` when the runner ended without a result
 */
export async function runWithoutHostd(
  action: ActionId,
  params: Record<string, unknown>,
  { onEvents, signal }: { onEvents: (events: readonly RunEvent[]) => void; signal: AbortSignal },
): Promise<ResultDocument> {
  const paths = hostPaths()
  const run_id = newRunId()
  const runner = await startRunner(
    {
      op: 'start',
      run_id,
      action,
      params,
      actor: 'local',
      deploy_run_id: null,
      requested_at: new Date().toISOString(),
    },
    launchSettings(paths, hostdUrl(), readHostSettings(paths)),
  )
  let over = false
  let said = ''
  const watchEnd = async (): Promise<void> => {
    said = (await runner.ended).said
    over = true
  }
  const gone = watchEnd()
  for await (const batch of followRunLog(runLogFile(paths, run_id), {
    after: 0,
    ended: () => over,
    signal,
  }))
    onEvents(batch)
  if (signal.aborted) throw new Problem('cancelled', `${run_id} is no longer followed. It goes on.`)
  await Promise.race([gone, delay(1000)])
  const result = readRunResult(paths, run_id)
  if (result === null)
    throw new Problem(
      'runner_lost',
      `The runner of ${run_id} ended without a result. ${said}`.trim(),
    )
  return result
}
