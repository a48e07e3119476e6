import { rmSync } from 'node:fs'
import { exportCommit, neutralRepository } from './export-commit.ts'
import { gitText, type GitOptions } from './run-git.ts'
import { makeTemporary } from '#ops/base/process/temporary-folder'
import { checkedTreeId, refuseObject } from './checked-objects.ts'

/**
 * Exports a commit and hashes again what came out: git does not when it reads objects, and those of the clone belong to
 * an account with less power than the code of a release, and the compose file of a project, have.
 * @param target `folder`: new folder, ours
 * @throws {Problem} `git_sync_failed` when the content is not what the commit's name stands for
 */
export async function exportChecked(
  repo: string,
  { sha, folder }: { readonly sha: string; readonly folder: string },
  options: GitOptions,
): Promise<void> {
  const tree = await checkedTreeId(repo, sha, options)
  await exportCommit(repo, { sha, folder }, options)
  if (
    (await treeOf(folder, { sha, submodules: await submodules(repo, sha, options) }, options)) !==
    tree
  )
    refuseObject(repo, sha, 'The content')
}

/** What the tree says of submodules; nothing of them is exported. Wrong ones give another tree id. */
async function submodules(repo: string, sha: string, options: GitOptions): Promise<string> {
  const lines = (
    await gitText(repo, ['ls-tree', '-r', '-z', '--full-tree', sha], {
      ...options,
      keepBytes: 256 * 1024 * 1024,
    })
  ).split('\0')
  return lines
    .filter((line) => line.startsWith('160000 '))
    .map((line) => `${line.replace(/^160000 commit (\w+)\t/, '160000 $1\t')}\0`)
    .join('')
}

/** The tree id of a folder, by a temporary repository. */
async function treeOf(
  folder: string,
  { sha, submodules }: { sha: string; submodules: string },
  { as: _owner, ...options }: GitOptions,
): Promise<string> {
  const temporary = makeTemporary('check')
  try {
    // What is built from, and what becomes HQ's own code, is not changed on the way in, either.
    const bare = await neutralRepository(temporary, sha.length === 40 ? 'sha1' : 'sha256', options)
    const own: GitOptions = {
      ...options,
      timeLimitSeconds: 300,
      env: { ...options.env, GIT_DIR: bare, GIT_WORK_TREE: folder },
    }
    await gitText(folder, ['add', '--all', '--force', '--', '.'], own)
    if (submodules !== '')
      await gitText(folder, ['update-index', '-z', '--index-info'], { ...own, input: submodules })
    return await gitText(folder, ['write-tree'], own)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
