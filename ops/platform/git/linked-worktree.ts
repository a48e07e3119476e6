// Linked worktrees that an older HQ made for tests, and left when it was killed.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { hasCode } from '#shared/system-error'
import { commonDir } from './work-tree.ts'

/** Their folders start with this. */
const prefix = 'openclaw-worktree-'

interface WorktreeRecord {
  /** Where git keeps HEAD and index of the worktree. */
  readonly path: string
  readonly record: string
  /** Null when git was killed before it wrote it down. */
  readonly folder: string | null
}

/** What git keeps of them. */
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

/**
 * Removes them, and nothing else: what git keeps of another worktree, whose folder may be on a disk that is not plugged
 * in, is not pruned. The caller holds the lock of a ship.
 * @returns their folders
 */
export async function sweepWorktrees(repo: string): Promise<string[]> {
  const left = await ownRecords(repo)
  for (const { folder, path } of left)
    for (const each of [folder, path])
      if (each !== null) rmSync(each, { recursive: true, force: true, maxRetries: 3 })
  return left.map(({ folder, path }) => folder ?? path)
}
