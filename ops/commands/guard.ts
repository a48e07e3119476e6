import { runAsAction } from '../doctor/check-command.ts'
import { runGuard } from '../guard/guard.ts'
import { hostPaths } from '../paths.ts'

/** `hq guard`: one pass @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> => runAsAction('guard', {}, options, ({ context, signal }) =>
  runGuard(hostPaths(process.env), { runId: context.runId, deployRunId: context.deployRunId, signal }))
