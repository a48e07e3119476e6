import { runAsAction } from '../doctor/check-command.ts'
import { doctorContext } from '../doctor/context.ts'
import { runGuard } from '../guard/guard.ts'

/** `hq guard`: one pass @returns the exit code */
export const run = (options: { json?: boolean; unattended?: boolean }): Promise<number> =>
  runAsAction('guard', {}, options, ({ context, signal }) =>
    runGuard(doctorContext(context.deployRunId), {
      runId: context.runId,
      deployRunId: context.deployRunId,
      signal,
    }),
  )
