import { runId as runIdSchema } from '#shared/ids'
import type { Run } from '#shared/run'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { resultDocument } from '#shared/result'
import { hostClient } from '#ops/host/hostd-client/index'
import { printEvent } from '#ops/core/pipeline/report'
import { cancelOnSignals } from '#ops/core/pipeline/run-context'

/**
 * `hq runs`: prints the newest runs of the host. With `follow`, it prints the log of one run to its end.
 * @returns 0, or with `follow` the exit code of that run
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
    else for (const each of page.runs) process.stdout.write(`${rowOf(each)}\n`)
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

const rowOf = (run: Run): string => {
  const columns = [run.action.padEnd(18), run.status.padEnd(11)].join(' ')
  const time = run.started_at ?? run.requested_at
  return `${run.run_id}  ${columns} ${time}  ${run.error_class ?? ''}`.trimEnd()
}
