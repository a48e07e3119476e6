// Step 2: the clone stands on the target commit, and every change up to it was reviewed.
import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import type { DeployStep } from '#shared/steps'
import { followedBranch, hostGit } from '#ops/platform/git/host-git'
import type { Step } from '#ops/core/pipeline/pipeline'
import { readServing } from '#ops/core/host-state/service-record'
import { engineOf } from '#ops/host/engines/registry'
import type { DeployFacts, DeployHost } from '#ops/features/deploy/state/facts'
import { greenConfig, judgedConfig } from '#ops/features/deploy/sync/gates-before'
import { syncToRemote, type Synced } from '#ops/features/deploy/sync/sync-to-remote'

export const gitSync = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'git_sync',
  timeLimitSeconds: 600,
  run: async (_facts, context) => {
    const { paths } = host
    const branch = await followedBranch(paths.root, context.signal)
    const synced = await syncToRemote(host, branch, context)
    requireSuitableEngine(host, synced.config)
    const git = await hostGit(paths.root, context.signal)
    const before = await greenConfig(host, git, context.log)
    const { config, notYet } = judgedConfig(synced.config, before)
    for (const each of notYet)
      context.log(`${each}: new in this commit, counts from the next deploy on`)
    return {
      facts: {
        target_sha: synced.sha,
        origin_sha: synced.origin,
        git_head: synced.sha,
        git_tree: synced.tree,
        config,
        configBefore: before?.config ?? null,
        engine: synced.config.engine,
        trusted: {
          baseline: synced.baseline,
          trust_sha256: synced.trustDigest,
          reviews: [...synced.reviews],
        },
        previous_sha: readServing(paths)?.sha ?? null,
      },
      commit: synced.sha,
      detail: `${detailOf(synced)}${waiting(notYet)}`,
    }
  },
})

const waiting = (notYet: readonly string[]): string =>
  notYet.length === 0 ? '' : `; not counted before the next deploy: ${notYet.join(', ')}`

function detailOf({ before, sha, reviews }: Synced): string {
  if (before === sha) return `already at ${shortCommit(sha)}`
  const from = before === null ? 'nothing' : shortCommit(before)
  return `${from} → ${shortCommit(sha)}, ${reviews.length} reviews checked`
}

/** @throws {Problem} `config_invalid` when the engine cannot run services on such a host */
function requireSuitableEngine({ settings }: DeployHost, { engine }: ProjectConfig): void {
  const why = engineOf(engine).whyUnsuitable(settings)
  if (why !== null) throw new Problem('config_invalid', `${why} The running version is untouched.`)
}
