// `git reset --hard` deletes whatever is in the way of a file of the commit, also what no commit has.
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { gitText, type GitOptions } from '#ops/platform/git/run-git'

/** The commit of a reset that was begun: what it wrote before it was killed is HQ's own, and may be overwritten. */
const resetRef = 'refs/openclaw/reset'

interface Clone {
  readonly root: string
  readonly options: GitOptions & { readonly errorClass: 'git_sync_failed' }
}

/**
 * Refuses a commit that has a file where the clone holds an untracked file or folder, or a folder where it holds a
 * file. A file whose very content the clone has among its objects is not lost, so it may be overwritten.
 * @throws {Problem} `untracked_in_the_way`, with the names; nothing was deleted
 */
export async function refuseUntrackedInTheWay(clone: Clone, target: string): Promise<void> {
  const tree = await treeOf(clone, target)
  const found = (await untracked(clone, tree)).filter((path) => tree.isInTheWay(path))
  if (found.length === 0) return
  const written = await interruptedReset(clone)
  const lost = await withoutKnown(
    clone,
    found.filter((path) => written?.isInTheWay(path) !== true),
  )
  if (lost.length === 0) return
  const names = lost.slice(0, 3).join(', ')
  throw new Problem(
    'untracked_in_the_way',
    `Commit ${shortCommit(target)} has a file or folder of the same name as ${names}` +
      `${lost.length > 3 ? ` and ${lost.length - 3} more` : ''}, which no commit has and the clone ${clone.root} ` +
      'holds. Nothing was deleted; the clone was not changed.',
    { evidence: lost.slice(0, 100) },
  )
}

/** Runs the reset, and remembers meanwhile what it writes: a power cut leaves files that the index does not name. */
export async function withResetNoted(
  { root, options }: Clone,
  target: string,
  reset: () => Promise<void>,
): Promise<void> {
  await gitText(root, ['update-ref', resetRef, target], options)
  await reset()
  await gitText(root, ['update-ref', '-d', resetRef], options)
}

/** The paths of a commit. */
class Tree {
  readonly #files: ReadonlySet<string>
  readonly #folders: ReadonlySet<string>

  constructor(files: readonly string[]) {
    this.#files = new Set(files)
    this.#folders = new Set(files.flatMap((file) => foldersAbove(file)))
  }

  /** @param path with a slash at its end when it is a folder */
  isInTheWay(path: string): boolean {
    const name = path.replace(/\/$/, '')
    if (this.#files.has(name)) return true
    if (foldersAbove(name).some((folder) => this.#files.has(folder))) return true
    return this.hasFolder(name)
  }

  hasFolder(path: string): boolean {
    return this.#folders.has(path.replace(/\/$/, ''))
  }
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_part, i) => parts.slice(0, i + 1).join('/'))
}

const entries = (text: string): string[] => text.split('\0').filter((entry) => entry !== '')

async function treeOf({ root, options }: Clone, commit: string): Promise<Tree> {
  const args = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', '--end-of-options', commit]
  return new Tree(entries(await gitText(root, args, { ...options, keepBytes: 256 * 1024 * 1024 })))
}

async function interruptedReset(clone: Clone): Promise<Tree | null> {
  const args = ['for-each-ref', '--format=%(objectname)', '--end-of-options', resetRef]
  const commit = await gitText(clone.root, args, clone.options)
  return commit === '' ? null : await treeOf(clone, commit)
}

/**
 * Untracked files, ignored ones as well. A folder without a tracked file is one entry, so that `artifacts/` is not
 * walked; only one that the commit has too is listed in full.
 */
async function untracked({ root, options }: Clone, tree: Tree): Promise<string[]> {
  const list = async (...more: readonly string[]): Promise<string[]> =>
    entries(
      await gitText(root, ['ls-files', '--others', '-z', ...more], {
        ...options,
        keepBytes: 256 * 1024 * 1024,
      }),
    )
  const top = await list('--directory', '--no-empty-directory')
  const shared = top.filter((path) => path.endsWith('/') && tree.hasFolder(path))
  const rest = top.filter((path) => !shared.includes(path))
  const inside =
    shared.length === 0
      ? []
      : await list('--', ...shared.map((folder) => `:(top,literal)${folder}`))
  return [...rest, ...inside]
}

/** Without the files whose content is among the objects of the clone. */
async function withoutKnown({ root, options }: Clone, paths: readonly string[]): Promise<string[]> {
  const files = paths.filter(
    (path) =>
      !path.includes('\n') &&
      lstatSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true,
  )
  if (files.length === 0) return [...paths]
  const ids = await gitText(root, ['hash-object', '--no-filters', '--stdin-paths'], {
    ...options,
    input: files.map((path) => `${path}\n`).join(''),
    keepBytes: 64 * 1024 * 1024,
  })
  const found = await gitText(root, ['cat-file', '--batch-check=%(objecttype)'], {
    ...options,
    input: `${ids}\n`,
    keepBytes: 64 * 1024 * 1024,
  })
  const types = found.split('\n')
  const known = new Set(files.filter((_path, i) => types[i] === 'blob'))
  return paths.filter((path) => !known.has(path))
}
