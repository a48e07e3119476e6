import { runAsAction } from '#ops/host/hostd-client/check-command'
import { deployHost } from '#ops/features/deploy/state/facts'
import { deployFolder } from '#ops/features/deploy/state/folders'
import { greenCheck } from '#ops/features/deploy/verify/green-check'

/** `hq green-check`: checks whether the last deploy is green and still serves. @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'green_check' }, ({ context, signal }) => {
    const host = deployHost(context.runId)
    return greenCheck({
      host,
      runId: context.runId,
      deployRunId: null,
      proofOf: (id) => deployFolder(host.paths, id),
      signal,
    })
  })
