import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gitText, type GitOptions } from '#ops/git/run-git'

/**
 * Writes the tree of `sha` into the new folder `folder`, through an index of its own: the clone's working tree, index
 * and HEAD are untouched, and no export attribute can leave files out or change them, as `git archive` would.
 * @throws {Problem} `git_sync_failed`
 */
export async function exportCommit(repo: string, sha: string, folder: string, options: GitOptions): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const index = join(folder, '..', `.index-${sha}-${process.pid}`)
  const own: GitOptions & { errorClass: 'git_sync_failed' } = { ...options, timeLimitSeconds: 300, env: { ...options.env, GIT_INDEX_FILE: index }, errorClass: 'git_sync_failed' }
  try {
    await gitText(repo, ['read-tree', '--no-recurse-submodules', sha], own)
    await gitText(repo, ['checkout-index', '--all', '--quiet', `--prefix=${folder}/`], own)
  } finally {
    rmSync(index, { force: true })
    rmSync(`${index}.lock`, { force: true })
  }
}
