import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { exportCommit } from './export-commit.ts'
import { git, gitText, type GitOptions } from './run-git.ts'

/** Folders of worktrees made here start with this, so that one left by a killed process is recognised. */
const prefix = 'openclaw-worktree-'

/** Start of the folder names of one maker, also of a folder that git did not yet know when its maker was killed. */
export const worktreePrefix = (maker: string): string => `${prefix}${maker}-`

interface WorktreeRequest {
  readonly repo: string
  readonly commit: string
  /** Id of the run that makes it: after a kill its folders are found by it. */ readonly maker: string
}

/**
 * Puts `commit` into a clean, detached worktree in a temporary folder, byte for byte: no filter, line-end conversion or
 * other attribute has a part in it, so what is tested is what is reviewed and pushed. Removes it however `work` ends.
 * @returns what `work` returns
 */
export async function withWorktree<T>(
  { repo, commit, maker }: WorktreeRequest,
  work: (folder: string) => Promise<T>,
  options: GitOptions = {},
): Promise<T> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), worktreePrefix(maker)))
  try {
    await gitText(
      repo,
      [
        'worktree',
        'add',
        '--quiet',
        '--force',
        '--detach',
        '--no-checkout',
        '--end-of-options',
        folder,
        commit,
      ],
      { timeLimitSeconds: 300, ...options },
    )
    await exportCommit(repo, { sha: commit, folder }, { ...options, errorClass: 'internal_error' })
    // Git's own view of the worktree: without it every file would be taken for deleted.
    await gitText(folder, ['read-tree', '--no-recurse-submodules', 'HEAD'], options)
    return await work(folder)
  } finally {
    await removeWorktree(repo, folder)
  }
}

async function removeWorktree(repo: string, folder: string): Promise<void> {
  // Without a signal: it must happen after a cancel as well. The folder goes first, so that prune sees it gone
  // whatever state the checkout was left in.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  await gitText(repo, ['worktree', 'prune', '--expire=now'])
}

/**
 * Removes worktrees that a killed process left. The caller holds the lock under which they are made.
 * @returns their folders
 */
export async function sweepWorktrees(repo: string, options: GitOptions = {}): Promise<string[]> {
  const list = await git(repo, ['worktree', 'list', '--porcelain', '-z'], options)
  const left = list.stdout
    .split('\0')
    .filter((line) => line.startsWith('worktree '))
    .map((line) => line.slice('worktree '.length))
    .filter((folder) => basename(folder).startsWith(prefix))
  for (const folder of left) await removeWorktree(repo, folder)
  return left
}
