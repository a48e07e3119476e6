// The state of the working tree: nothing may make it differ from the commit that is shipped.
import { existsSync } from 'node:fs'
import { shortCommit } from '#shared/ids'
import { plural } from '#shared/plural'
import { commitOf } from '#ops/platform/git/commits'
import { headBranch, listRefs } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { dirtyFiles, gitPath, hiddenFiles, unfinishedOperation } from '#ops/platform/git/work-tree'
import { refuse, some, type Unmet } from './unmet.ts'

export interface Tree {
  readonly repo: string
  readonly git: GitOptions
}

export async function checkUnfinishedOperation({ repo, git }: Tree): Promise<Unmet | null> {
  const operation = await unfinishedOperation(repo, git)
  return operation === null
    ? null
    : {
        errorClass: 'unfinished_git_operation',
        sentence: `A ${operation} is not finished in ${repo}.`,
      }
}

export async function checkReplacedObjects({ repo, git }: Tree): Promise<Unmet | null> {
  const replaced = [...(await listRefs(repo, 'refs/replace/', git)).keys()]
  if (existsSync(await gitPath(repo, 'info/grafts', git))) replaced.push('info/grafts')
  return replaced.length === 0
    ? null
    : {
        errorClass: 'replace_refs',
        sentence: `Replace refs make git show other objects than the repository holds: ${some(replaced)}.`,
        evidence: replaced.slice(0, 50),
      }
}

export async function checkHiddenChanges({ repo, git }: Tree): Promise<Unmet | null> {
  const hidden = await hiddenFiles(repo, git)
  return hidden.length === 0
    ? null
    : {
        errorClass: 'hidden_changes',
        sentence: `Git ignores changes of ${some(hidden)} (skip-worktree or assume-unchanged).`,
        evidence: hidden.slice(0, 50),
      }
}

export async function checkDirtyTree({ repo, git }: Tree): Promise<Unmet | null> {
  const dirty = await dirtyFiles(repo, git)
  if (dirty.length === 0) return null
  const files = plural(dirty.length, 'file is', 'files are')
  return {
    errorClass: 'dirty_tree',
    sentence: `${files} not committed: ${some(dirty)}.`,
    evidence: dirty.slice(0, 50),
  }
}

/** Everything that could make the tree differ from the commit, in this order. */
export const treeChecks = [
  checkUnfinishedOperation,
  checkReplacedObjects,
  checkHiddenChanges,
  checkDirtyTree,
] as const

/** @throws {Problem} `unfinished_git_operation`, `replace_refs`, `hidden_changes`, `dirty_tree` */
export async function refuseUnclearTree(tree: Tree, untouched?: string): Promise<void> {
  for (const check of treeChecks) refuse(await check(tree), untouched)
}

export async function checkBranch({ repo, git }: Tree, branch: string): Promise<Unmet | null> {
  const current = await headBranch(repo, git)
  if (current === branch) return null
  const now = current === null ? 'No branch is checked out' : `The branch is ${current}`
  return { errorClass: 'wrong_branch', sentence: `${now}; only ${branch} is shipped.` }
}

/** Somebody works in the repository while a repair is made; their work is left alone. */
export async function checkHeadUnmoved({ repo, git }: Tree, start: string): Promise<Unmet | null> {
  const now = await commitOf(repo, 'HEAD', git)
  return now === start
    ? null
    : {
        errorClass: 'head_moved',
        sentence:
          `HEAD moved to ${now === null ? 'no commit' : shortCommit(now)} ` +
          `while the repair of ${shortCommit(start)} was made.`,
      }
}
