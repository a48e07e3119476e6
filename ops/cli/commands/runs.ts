import { runId as runIdSchema } from '#shared/ids'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { resultDocument } from '#shared/result'
import { hostClient } from '#ops/host/hostd-client/index'
import { printEvent } from '#ops/core/pipeline/report'
import { cancelOnSignals } from '#ops/core/pipeline/run-context'

/**
 * `hq runs`: the newest runs of the host. With `follow`, the log of one run to its end.
 * @returns 0, or when following the exit code of that run
 */
export async function run({
  follow,
  json = false,
}: {
  follow?: string
  json?: boolean
}): Promise<number> {
  const client = hostClient()
  if (follow === undefined) {
    const page = await client.runs()
    if (json) process.stdout.write(`${JSON.stringify(page, null, 2)}\n`)
    else
      for (const each of page.runs)
        process.stdout.write(
          `${each.run_id}  ${each.action.padEnd(18)} ${each.status.padEnd(11)} ${each.started_at ?? each.requested_at}  ${each.error_class ?? ''}`
            .trimEnd()
            .concat('\n'),
        )
    return 0
  }
  const id = runIdSchema.parse(follow)
  const status = await client.followRun(id, {
    signal: cancelOnSignals(),
    onEvents: (events) => {
      if (!json) for (const event of events) printEvent(event)
    },
  })
  const { result } = await client.run(id)
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else process.stderr.write(`${id}: ${status}\n`)
  return result === null ? 1 : exitCodeOf(resultDocument.parse(result))
}
