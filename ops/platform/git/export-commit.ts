import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorClass } from '#shared/errors'
import { gitText, type GitOptions } from './run-git.ts'
import { objectStore } from './work-tree.ts'
import { writeWhole } from '#ops/base/files/json-file'
import { makeTemporary } from '#ops/base/process/temporary-folder'

/** No attribute of a commit changes a byte on the way out: no line ends, no encoding, no `$Id$`, no filter. */
export const asTheyAre = '* -text !eol !crlf !ident !filter !working-tree-encoding\n'

/**
 * An empty repository, in which no attribute changes a byte between a tree and a folder.
 * @param folder temporary folder that it is made in @param format `sha1` or `sha256`
 * @returns its git directory
 */
export async function neutralRepository(
  folder: string,
  format: string,
  options: GitOptions & { errorClass?: ErrorClass },
): Promise<string> {
  const bare = join(folder, 'bare.git')
  await gitText(
    folder,
    [
      'init',
      '--quiet',
      '--bare',
      '--template=',
      `--object-format=${format}`,
      '--end-of-options',
      bare,
    ],
    options,
  )
  writeWhole(join(bare, 'info', 'attributes'), asTheyAre)
  return bare
}

interface Export {
  readonly sha: string
  readonly folder: string
  /** Where the objects of the repository are, from a caller that knows it. */
  readonly store?: Awaited<ReturnType<typeof objectStore>>
}

/**
 * Writes the tree of `sha` into the new folder `folder`, byte for byte as it was reviewed, through a repository of its
 * own that borrows only the clone's objects: the clone's working tree, index, HEAD and configuration have no part in
 * it, and no attribute can leave files out or change them, as `git archive` or a checkout would.
 * @throws {Problem} `git_sync_failed`, or the class of `options`
 */
export async function exportCommit(
  repo: string,
  { sha, folder, store }: Export,
  options: GitOptions & { errorClass?: ErrorClass },
): Promise<void> {
  const must: GitOptions & { errorClass: ErrorClass } = {
    errorClass: 'git_sync_failed',
    ...options,
    timeLimitSeconds: 300,
  }
  // The files belong to this process's account, whichever account owns the clone: only reads of the clone run as its
  // owner.
  const { as: _owner, ...ours } = must
  const { format, folder: common } = store ?? (await objectStore(repo, must))
  const objects = join(common, 'objects')
  mkdirSync(folder, { recursive: true })
  const temporary = makeTemporary('export')
  try {
    const bare = await neutralRepository(temporary, format, ours)
    const own = {
      ...ours,
      env: { ...options.env, GIT_DIR: bare, GIT_OBJECT_DIRECTORY: objects, GIT_WORK_TREE: folder },
    }
    await gitText(temporary, ['read-tree', '--no-recurse-submodules', sha], own)
    await gitText(temporary, ['checkout-index', '--all', '--quiet', `--prefix=${folder}/`], own)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
