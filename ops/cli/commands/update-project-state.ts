import { Problem } from '#shared/errors'
import { stateFinding } from '#ops/features/doctor/index'
import { checksDocument, runChecks } from '#ops/core/checks/check'
import { runHere } from '#ops/host/hostd-client/check-command'
import { restoreState } from '#ops/features/deploy/state/project-state'
import { hostPaths } from '#ops/base/paths/paths'
import { withLock } from '#ops/base/files/lock'
import { laneLockFile } from '#ops/core/host-state/locks'

/**
 * `hq update-project-state`: restores the project state from the proof of the newest green deploy, when it is
 * missing or cannot be read. It does not change a valid state: only a deploy writes a new one.
 * @returns the exit code
 */
export const run = (options: { json?: boolean }): Promise<number> =>
  runHere(
    'update_project_state',
    async ({ context, log, signal }) => {
      const startedAt = new Date().toISOString()
      const paths = hostPaths()
      const busy = (): Problem =>
        new Problem(
          'lane_busy',
          'A deploy is running, and it writes the state itself. Nothing was changed.',
        )
      const from = await withLock(laneLockFile(paths, 'deploy'), { waitMs: 1000, busy }, () =>
        restoreState(paths),
      )
      log(
        from === null
          ? 'Nothing was restored.'
          : `The state of ${from} was restored from its proof.`,
      )
      const checks = await runChecks(
        [{ name: 'project_state', remedy: 'deploy_again', run: () => stateFinding(paths) }],
        signal,
      )
      return checksDocument(checks, {
        kind: 'verify_production',
        runId: context.runId,
        deployRunId: null,
        startedAt,
        errorClass: 'state_invalid',
        artifacts: {},
      })
    },
    options,
  )
