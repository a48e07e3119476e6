// Step 1: this host can read its remote and cannot write to it, and is not open to the public internet.
import type { DeployStep } from '#shared/steps'
import { followedBranch, requireClone } from '#ops/platform/git/host-git'
import type { Step } from '#ops/core/pipeline/pipeline'
import type { DeployFacts, DeployHost } from '#ops/features/deploy/state/facts'
import { requireNoFunnel } from '#ops/features/deploy/sync/no-funnel'
import { provePullOnly } from '#ops/features/deploy/sync/pull-only'

export const assertProductionPullOnly = ({ paths }: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'assert_production_pull_only',
  timeLimitSeconds: 120,
  run: async (_facts, context) => {
    requireClone(paths.root)
    await requireNoFunnel(context.signal)
    const branch = await followedBranch(paths.root, context.signal)
    const proofs = await provePullOnly(paths.root, branch, context)
    return { detail: proofs.map(({ detail }) => detail).join('; ') }
  },
})
