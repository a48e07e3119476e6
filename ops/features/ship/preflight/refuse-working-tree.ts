import { existsSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { commitOf, currentBranch } from '#ops/platform/git/commits'
import { listRefs } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { dirtyFiles, gitPath, hiddenFiles, unfinishedOperation } from '#ops/platform/git/work-tree'

const some = (files: readonly string[]): string =>
  files.length <= 3
    ? files.join(', ')
    : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more`

/** @throws {Problem} `dirty_tree`, naming the files */
export async function refuseDirtyTree(repo: string, options: GitOptions): Promise<void> {
  const dirty = await dirtyFiles(repo, options)
  if (dirty.length > 0)
    throw new Problem(
      'dirty_tree',
      `The working tree has changes that are in no commit: ${some(dirty)}. Nothing was pushed.`,
      { evidence: dirty.slice(0, 50) },
    )
}

/**
 * What could make the tree look other than the commit.
 * @throws {Problem} `unfinished_git_operation`, `replace_refs`, `hidden_changes`, `dirty_tree`
 */
export async function refuseUnclearTree(repo: string, options: GitOptions): Promise<void> {
  const operation = await unfinishedOperation(repo, options)
  if (operation)
    throw new Problem(
      'unfinished_git_operation',
      `A ${operation} was begun in ${repo} and not ended. Nothing was changed.`,
    )
  const replaced = [...(await listRefs(repo, 'refs/replace/', options)).keys()]
  if (existsSync(await gitPath(repo, 'info/grafts', options))) replaced.push('info/grafts')
  if (replaced.length > 0)
    throw new Problem(
      'replace_refs',
      `The repository shows other objects than it holds: ${some(replaced)}. Nothing was changed.`,
      { evidence: replaced.slice(0, 50) },
    )
  const hidden = await hiddenFiles(repo, options)
  if (hidden.length > 0)
    throw new Problem(
      'hidden_changes',
      `Git was told to overlook changes of ${some(hidden)} (skip-worktree or assume-unchanged). Nothing was changed.`,
      { evidence: hidden.slice(0, 50) },
    )
  await refuseDirtyTree(repo, options)
}

/** @throws {Problem} `wrong_branch` */
export async function refuseOtherBranch(
  repo: string,
  branch: string,
  options: GitOptions,
): Promise<void> {
  const current = await currentBranch(repo, options)
  if (current !== branch)
    throw new Problem(
      'wrong_branch',
      `${current === null ? 'No branch is checked out' : `The branch is ${current}`}; only ${branch} is shipped. Nothing was changed.`,
    )
}

/** @throws {Problem} `head_moved`: somebody works in the repository; what they did is left alone */
export async function refuseMovedHead(
  repo: string,
  start: string,
  options: GitOptions,
): Promise<void> {
  const now = await commitOf(repo, 'HEAD', options)
  if (now !== start)
    throw new Problem(
      'head_moved',
      `The repository moved on to ${now?.slice(0, 12) ?? 'no commit'} while the repair of ${start.slice(0, 12)} was made. Nothing was pushed; your work is untouched.`,
    )
}
