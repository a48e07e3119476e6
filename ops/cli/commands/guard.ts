import { runAsAction } from '#ops/host/hostd-client/check-command'
import { doctorContext } from '#ops/core/checks/context'
import { runGuard } from '#ops/features/guard/guard'

/** `hq guard`: runs one pass of guard. @returns the exit code */
export const run = (options: { json?: boolean; unattended?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'guard' }, ({ context, signal }) =>
    runGuard(doctorContext(context.deployRunId), {
      runId: context.runId,
      deployRunId: context.deployRunId,
      signal,
    }),
  )
