// What the commit itself must hold to be shipped.
import type { ProjectConfig } from '#shared/config'
import { shortCommit } from '#shared/ids'
import { commitOf } from '#ops/platform/git/commits'
import { readBlob, trackedBelow } from '#ops/platform/git/objects'
import { headBranch } from '#ops/platform/git/refs'
import { nextActionFile, parseNextAction } from '#ops/core/config/next-action'
import { configAt, missingConfig } from '#ops/features/ship/state/gate-settings'
import { proofRoot } from '#ops/features/ship/state/proof-folder'
import { remoteName } from '#ops/features/ship/state/ship-facts'
import { some, type Unmet } from './unmet.ts'
import { checkBranch, type Tree } from './working-tree.ts'

/** A commit that may be shipped. */
export interface Commit extends Tree {
  readonly head: string
}

/** What is tracked there would hide proof, or replace it on the host. */
export async function checkTrackedProof({ repo, head, git }: Commit): Promise<Unmet | null> {
  const tracked = await trackedBelow(repo, { commit: head, path: proofRoot }, git)
  return tracked.length === 0
    ? null
    : {
        errorClass: 'artifacts_tracked',
        sentence: `The commit ${shortCommit(head)} tracks ${some(tracked)}, where HQ keeps its proof.`,
        evidence: tracked.slice(0, 50),
      }
}

/** @throws {Problem} `next_action_invalid` for a file that does not name exactly one */
export async function checkNextAction({ repo, head, git }: Commit): Promise<Unmet | null> {
  const text = await readBlob(repo, `${head}:${nextActionFile}`, {
    ...git,
    tooLarge: 'next_action_invalid',
  })
  if (text === null)
    return {
      errorClass: 'next_action_invalid',
      sentence: `The commit ${shortCommit(head)} has no ${nextActionFile}.`,
    }
  parseNextAction(text)
  return null
}

/**
 * The branch that is shipped, before the base is known. It is the one that the change's own configuration names,
 * unless the change renames it: then it is the one that origin's configuration still names. No request goes to
 * the remote.
 */
export async function branchToShip(tree: Tree, config: ProjectConfig): Promise<string> {
  const { repo, git } = tree
  const current = await headBranch(repo, git)
  if (current === null || current === config.branch) return config.branch
  const tracked = await commitOf(repo, `refs/remotes/${remoteName}/${current}`, git)
  const renames = tracked !== null && (await configAt(repo, tracked, git))?.branch === current
  return renames ? current : config.branch
}

/** @throws {Problem} `config_invalid` when the configuration of the commit is not valid */
export async function checkConfigAndBranch(commit: Commit): Promise<Unmet | null> {
  const { repo, head, git } = commit
  const config = await configAt(repo, head, git)
  return config === null
    ? { errorClass: 'config_missing', sentence: missingConfig(head) }
    : checkBranch(commit, await branchToShip(commit, config))
}
