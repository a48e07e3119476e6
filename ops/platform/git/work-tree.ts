import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Problem, type ErrorClass } from '#shared/errors'
import { enclosingTree, repositoryFolders } from './repository-folders.ts'
import { git, gitFailure, gitReason, gitText, type GitOptions } from './run-git.ts'

const paths = (text: string): string[] => text.split('\0').filter((entry) => entry !== '')

/** Files that differ from HEAD or are untracked and not ignored. */
export async function dirtyFiles(repo: string, options: GitOptions = {}): Promise<string[]> {
  const text = await gitText(
    repo,
    [
      'status',
      '--porcelain=v1',
      '-z',
      '--untracked-files=all',
      '--ignore-submodules=none',
      '--no-renames',
    ],
    { keepBytes: 64 * 1024 * 1024, ...options },
  )
  return paths(text).map((entry) => entry.slice(3))
}

/** Files whose changes git is set to ignore: assume-unchanged (lower-case tag) and skip-worktree (S). */
export async function hiddenFiles(repo: string, options: GitOptions = {}): Promise<string[]> {
  const text = await gitText(repo, ['ls-files', '-v', '-z'], {
    keepBytes: 64 * 1024 * 1024,
    ...options,
  })
  return paths(text)
    .filter((entry) => /^(?:[a-z]|S) /.test(entry))
    .map((entry) => entry.slice(2))
}

/** Where git keeps `name` for this working tree (`MERGE_HEAD`, `info/exclude` …), absolute. */
export const gitPath = async (
  repo: string,
  name: string,
  options: GitOptions = {},
): Promise<string> => resolve(repo, await gitText(repo, ['rev-parse', '--git-path', name], options))

/** The folder of this working tree, where its HEAD and index are; absolute. */
export const gitDir = async (repo: string, options: GitOptions = {}): Promise<string> =>
  await gitText(repo, ['rev-parse', '--absolute-git-dir'], options)

/** The folder that all working trees of the repository share, absolute. */
export const commonDir = async (repo: string, options: GitOptions = {}): Promise<string> =>
  resolve(repo, await gitText(repo, ['rev-parse', '--git-common-dir'], options))

/** The same folder, and the digest that names the objects in it. */
export async function objectStore(
  repo: string,
  options: GitOptions & { errorClass?: ErrorClass } = {},
): Promise<{ format: string; folder: string }> {
  const [format = '', ...folder] = (
    await gitText(repo, ['rev-parse', '--show-object-format', '--git-common-dir'], options)
  ).split('\n')
  return { format, folder: resolve(repo, folder.join('\n')) }
}

/**
 * Root of the working tree.
 * @throws {Problem} `not_a_repository`; `repository_of_another_user`, which git refuses to read
 */
export async function topLevel(folder: string, options: GitOptions = {}): Promise<string> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Problem(
      'not_a_repository',
      `${folder} is not a folder, or does not exist. Nothing was changed.`,
    )
  const result = await git(folder, ['rev-parse', '--show-toplevel'], options)
  if (result.exitCode === 0) return result.stdout.replace(/\n$/, '')
  const other = foreignPart(folder)
  if (other !== null)
    throw new Problem(
      'repository_of_another_user',
      `${other.path} belongs to ${other.owner}, and HQ runs as another user. Git reads no repository of another ` +
        'user, because its settings could start programs. Nothing was changed.',
    )
  throw new Problem(
    'not_a_repository',
    `${folder} is not in a working tree of git: ${gitReason(result)}. Nothing was changed.`,
    { evidence: gitFailure(result) },
  )
}

/** What git refuses: a working tree, its `.git`, or its folder of git, that belongs to somebody else. */
function foreignPart(folder: string): { path: string; owner: string } | null {
  const user = process.geteuid?.()
  const tree = enclosingTree(folder)
  if (user === undefined || tree === null) return null
  for (const path of [tree, join(tree, '.git'), ...repositoryFolders(tree)]) {
    const owner = statSync(path, { throwIfNoEntry: false })?.uid
    if (owner !== undefined && owner !== user)
      return { path, owner: `the user with the id ${owner}` }
  }
  return null
}

const operations = {
  MERGE_HEAD: 'merge',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase',
  BISECT_LOG: 'bisect',
} as const

/** Name of the operation that was begun and not ended, or null. */
export async function unfinishedOperation(
  repo: string,
  options: GitOptions = {},
): Promise<string | null> {
  // None of these is shared between working trees (gitrepository-layout(5)): all lie in the folder of this one.
  const own = await gitDir(repo, options)
  return Object.entries(operations).find(([file]) => existsSync(join(own, file)))?.[1] ?? null
}
