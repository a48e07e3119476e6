import { hostPaths } from '#ops/base/paths/paths'
import { followedBranch } from '#ops/platform/git/host-git'
import { provePullOnly } from '#ops/features/deploy/sync/pull-only'
import { checksDocument } from '#ops/core/checks/check'
import { runHere } from '#ops/host/hostd-client/check-command'

/** `hq assert-pull-only`: proves that this host can read its remote and cannot push to it. @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runHere(
    'assert_production_pull_only',
    async ({ context, signal, log }) => {
      const startedAt = new Date().toISOString()
      const { root } = hostPaths()
      const started = performance.now()
      const proofs = await provePullOnly(root, await followedBranch(root, signal), { signal, log })
      const checks = proofs.map(({ detail }) => ({
        name: 'pull_only',
        status: 'PASS' as const,
        detail,
        remedy: null,
        duration_ms: Math.round(performance.now() - started),
      }))
      return checksDocument(checks, {
        kind: 'assert_production_pull_only',
        runId: context.runId,
        deployRunId: context.deployRunId,
        startedAt,
        errorClass: 'production_can_push',
        artifacts: {},
      })
    },
    options,
  )
