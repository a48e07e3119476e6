import { runAsAction } from '../doctor/check-command.ts'
import { deployFolder } from '../deploy/deploy-once.ts'
import { greenCheck } from '../deploy/green-check.ts'
import { hostPaths } from '../paths.ts'

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
