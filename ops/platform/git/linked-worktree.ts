import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { hasCode } from '#shared/system-error'
import { exportCommit } from './export-commit.ts'
import { gitText, type GitOptions } from './run-git.ts'
import { commonDir } from './work-tree.ts'

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

/**
 * Removes a worktree that was made here, and nothing else: what git keeps of another worktree, whose folder may be on a
 * disk that is not plugged in, is not pruned.
 */
async function removeWorktree(repo: string, folder: string): Promise<void> {
  // Without a signal: it must happen after a cancel as well.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  for (const own of await ownRecords(repo))
    if (own.folder === folder || own.record === basename(folder)) removeRecord(own)
}

interface WorktreeRecord {
  /** Where git keeps HEAD and index of the worktree. */
  readonly path: string
  readonly record: string
  /** Null when git was killed before it wrote it down. */
  readonly folder: string | null
}

/** What git keeps of the worktrees made here. */
async function ownRecords(repo: string): Promise<WorktreeRecord[]> {
  const all = join(await commonDir(repo), 'worktrees')
  if (!existsSync(all)) return []
  return readdirSync(all)
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ path: join(all, name), record: name, folder: folderOf(join(all, name)) }))
    .filter(({ folder }) => folder === null || basename(folder).startsWith(prefix))
}

/** `gitdir` names the file `.git` of the worktree, relative to itself where git is set to write it so. */
function folderOf(path: string): string | null {
  try {
    const text = readFileSync(join(path, 'gitdir'), 'utf8').trim()
    return text === '' ? null : dirname(resolve(path, text))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

const removeRecord = ({ path }: WorktreeRecord): void =>
  rmSync(path, { recursive: true, force: true, maxRetries: 3 })

/**
 * Removes worktrees that a killed process left. The caller holds the lock under which they are made.
 * @returns their folders
 */
export async function sweepWorktrees(repo: string): Promise<string[]> {
  const left = await ownRecords(repo)
  for (const each of left) {
    if (each.folder !== null) rmSync(each.folder, { recursive: true, force: true, maxRetries: 3 })
    removeRecord(each)
  }
  return left.map(({ folder, path }) => folder ?? path)
}
