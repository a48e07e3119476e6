import { runAsAction } from '#ops/host/hostd-client/check-command'
import { deployFolder } from '#ops/features/deploy/pipeline'
import { greenCheck } from '#ops/features/deploy/green-check'
import { hostPaths } from '#ops/base/paths/paths'

/** `hq green-check`: is the last deploy green, and still? @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction('green_check', {}, options, ({ context, signal }) => {
    const paths = hostPaths(process.env)
    return greenCheck({
      paths,
      runId: context.runId,
      deployRunId: null,
      proofOf: (id) => deployFolder(paths, id),
      signal,
    })
  })
