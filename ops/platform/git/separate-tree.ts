// A working tree of one commit with a repository of its own.
import { copyFileSync, existsSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '#ops/base/files/json-file'
import { makeTemporary } from '#ops/base/process/temporary-folder'
import { exportCommit, asTheyAre } from './export-commit.ts'
import { listRefs } from './refs.ts'
import { git, gitText, type GitOptions } from './run-git.ts'
import { objectStore } from './work-tree.ts'

/** Refs that programs in the tree see: `git describe` reads tags, a script compares with `origin/main`. */
const seenRefs = ['refs/heads/', 'refs/tags/', 'refs/remotes/']

/**
 * Puts `commit` into a clean, detached tree in a temporary folder, byte for byte: no filter, line-end conversion or
 * other attribute has a part in it, so what is tested is what is reviewed and pushed. Removes it however `work` ends.
 *
 * What runs in it has a git configuration, hooks, refs and an index that are the tree's: a hook manager that a test
 * installs changes nothing of `repo`, from which only the objects are read. The tree has no remote.
 * @returns what `work` returns
 */
export async function withSeparateTree<T>(
  { repo, commit }: { readonly repo: string; readonly commit: string },
  work: (folder: string) => Promise<T>,
  options: GitOptions = {},
): Promise<T> {
  const folder = realpathSync(makeTemporary('worktree'))
  try {
    await fillSeparateTree(repo, { commit, folder }, options)
    await showRefs(repo, folder, options)
    await keepAuthor(repo, folder, options)
    return await work(folder)
  } finally {
    // Without a signal: it must happen after a cancel as well.
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/**
 * Makes a repository in `folder` that borrows the objects of `repo` and nothing else of it, with `commit` as its
 * detached HEAD and in its working tree.
 * @param tree `folder`: is made, or is empty
 * @throws {Problem} `internal_error`
 */
export async function fillSeparateTree(
  repo: string,
  { commit, folder }: { readonly commit: string; readonly folder: string },
  options: GitOptions = {},
): Promise<void> {
  const store = await objectStore(repo, options)
  const { format, folder: common } = store
  // An older git knows no other format of refs, and no such variable.
  const env = { ...options.env, GIT_DEFAULT_REF_FORMAT: 'files' }
  await gitText(
    repo,
    ['init', '--quiet', '--template=', `--object-format=${format}`, '--end-of-options', folder],
    { ...options, env },
  )
  const own = join(folder, '.git')
  writeWhole(join(own, 'objects', 'info', 'alternates'), `${join(common, 'objects')}\n`)
  writeWhole(join(own, 'info', 'attributes'), asTheyAre)
  if (existsSync(join(common, 'shallow')))
    copyFileSync(join(common, 'shallow'), join(own, 'shallow'))
  await exportCommit(
    repo,
    { sha: commit, folder, store },
    { ...options, errorClass: 'internal_error' },
  )
  const inTree = gitIn(repo, folder, options)
  await inTree(['update-ref', '--no-deref', 'HEAD', commit])
  // Without an index every file would be taken for deleted.
  await inTree(['read-tree', '--no-recurse-submodules', 'HEAD'])
}

async function showRefs(repo: string, folder: string, options: GitOptions): Promise<void> {
  const refs = [...(await listRefs(repo, seenRefs, options))].map(([ref, id]) => `${id} ${ref}\n`)
  writeWhole(join(folder, '.git', 'packed-refs'), refs.join(''))
}

/** A test that commits does so by the name that the operator set for this repository. */
async function keepAuthor(repo: string, folder: string, options: GitOptions): Promise<void> {
  const inTree = gitIn(repo, folder, options)
  const names = '^user\\.(name|email)$'
  const { stdout } = await git(repo, ['config', '--null', '--get-regexp', names], options)
  // Of several values the last one counts, as it does for git.
  const author = new Map(
    stdout
      .split('\0')
      .filter((entry) => entry.includes('\n'))
      .map((entry) => [entry.slice(0, entry.indexOf('\n')), entry.slice(entry.indexOf('\n') + 1)]),
  )
  for (const [name, value] of author) await inTree(['config', name, value.trimEnd()])
}

/** git in the tree, started in `repo`, so that no program of that repository is taken for git. */
const gitIn =
  (repo: string, folder: string, options: GitOptions) =>
  (args: readonly string[]): Promise<string> =>
    gitText(repo, args, {
      ...options,
      env: { ...options.env, GIT_DIR: join(folder, '.git'), GIT_WORK_TREE: folder },
    })
