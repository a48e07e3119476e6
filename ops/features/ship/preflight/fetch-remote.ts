// Fetches the branch of origin, every verdict and every statement beside one.
import { Problem } from '#shared/errors'
import { commitOf, isBranchName } from '#ops/platform/git/commits'
import { gitFailure, gitReason, type GitOptions } from '#ops/platform/git/run-git'
import { fetchRefs } from '#ops/platform/git/remote'
import { evidenceRefspecs } from '#shared/statement'
import { remoteName } from '#ops/features/ship/state/ship-facts'

/**
 * Fetches the branch, every verdict and every statement. What the remote does not have is dropped here too, so that a
 * verdict planted in this clone proves nothing.
 * @returns the remote's commit of the branch
 * @throws {Problem} `remote_unreachable`; `config_invalid` when the remote has no such branch
 */
export async function fetchRemote(
  repo: string,
  branch: string,
  options: GitOptions,
): Promise<string> {
  if (!(await isBranchName(repo, branch, options)))
    throw new Problem(
      'config_invalid',
      `branch: ${JSON.stringify(branch)} is not a branch name. Nothing was changed.`,
    )
  const tracking = `refs/remotes/${remoteName}/${branch}`
  const result = await fetchRefs(
    repo,
    {
      remote: remoteName,
      refs: [`+refs/heads/${branch}*:refs/remotes/${remoteName}/${branch}*`, ...evidenceRefspecs],
    },
    options,
  )
  if (result.exitCode !== 0)
    throw new Problem(
      'remote_unreachable',
      `${remoteName} could not be read: ${gitReason(result)}. Nothing was changed.`,
      { evidence: gitFailure(result) },
    )
  const head = await commitOf(repo, tracking, options)
  if (head === null)
    throw new Problem(
      'config_invalid',
      `branch: ${remoteName} has no branch ${branch}. Nothing was changed.`,
    )
  return head
}
