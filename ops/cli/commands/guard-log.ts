import { Problem } from '#shared/errors'
import { actions } from '#shared/actions'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { doneDocument } from '#ops/core/pipeline/documents'
import { describePass, readGuardLog } from '#ops/features/guard/log'
import { hostPaths } from '#ops/base/paths/paths'

/**
 * `hq guard-log`: prints the last passes of guard, one line each.
 * @returns the exit code
 * @throws {Problem} `invalid_request`
 */
export async function run({
  lines,
  json = false,
}: {
  lines: string
  json?: boolean
}): Promise<number> {
  const params = actions.tail_guard_log.params.safeParse({ lines: Number(lines) })
  if (!params.success)
    throw new Problem(
      'invalid_request',
      `--lines must be a whole number from 1 to 500, not ${JSON.stringify(lines)}.`,
    )
  return await runAsAction(
    { action: 'tail_guard_log', params: params.data, json },
    ({ context, log }) => {
      const started_at = new Date().toISOString()
      const { lines: passes, unreadable } = readGuardLog(hostPaths(), params.data.lines ?? 50)
      for (const pass of passes) log(describePass(pass))
      if (unreadable > 0) log(`${unreadable} lines cannot be read`)
      return Promise.resolve({ ...doneDocument(context.runId, started_at), passes, unreadable })
    },
  )
}
