import { Problem } from '#shared/errors'
import { commitId } from '#shared/ids'
import { git, gitText, type GitOptions } from './run-git.ts'

/** @returns the commit that `revision` names, or null when there is none */
export async function commitOf(
  repo: string,
  revision: string,
  options: GitOptions = {},
): Promise<string | null> {
  const result = await git(
    repo,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`],
    options,
  )
  return result.exitCode === 0 ? commitId.parse(result.stdout.trim()) : null
}

/** @throws {Problem} `internal_error` when the commit does not exist */
export async function treeOf(
  repo: string,
  commit: string,
  options: GitOptions = {},
): Promise<string> {
  return commitId.parse(
    await gitText(repo, ['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`], options),
  )
}

/** Is `ancestor` reachable from `commit`? A commit is its own ancestor. */
export async function isAncestor(
  repo: string,
  { ancestor, commit }: { ancestor: string; commit: string },
  options: GitOptions = {},
): Promise<boolean> {
  const result = await git(
    repo,
    ['merge-base', '--is-ancestor', '--end-of-options', ancestor, commit],
    options,
  )
  if (result.exitCode === 0) return true
  if (result.exitCode === 1) return false
  throw new Problem('internal_error', `git merge-base failed in ${repo}: ${result.stderrTail}`)
}

/** `commit` and everything reachable from it, newest first, a parent never before its child. */
export async function listAncestors(
  repo: string,
  commit: string,
  options: GitOptions = {},
): Promise<string[]> {
  const text = await gitText(repo, ['rev-list', '--topo-order', '--end-of-options', commit], {
    keepBytes: 256 * 1024 * 1024,
    ...options,
  })
  return text === '' ? [] : text.split('\n')
}

/**
 * `tip` and every commit between it and its ancestor `base`, without `base`: each is a descendant of `base`.
 * @returns newest first, a parent never before its child
 */
export async function listBetween(
  repo: string,
  { base, tip }: { readonly base: string; readonly tip: string },
  options: GitOptions = {},
): Promise<{ readonly commit: string; readonly parents: readonly string[] }[]> {
  const text = await gitText(
    repo,
    [
      'rev-list',
      '--topo-order',
      '--parents',
      '--ancestry-path',
      '--end-of-options',
      tip,
      `^${base}`,
    ],
    { keepBytes: 256 * 1024 * 1024, ...options },
  )
  if (text === '') return []
  return text.split('\n').map((line) => {
    const [commit = '', ...parents] = line.split(' ')
    return { commit, parents }
  })
}

/** Is `name` fit to be a branch name? */
export async function isBranchName(
  repo: string,
  name: string,
  options: GitOptions = {},
): Promise<boolean> {
  if (name.startsWith('-')) return false
  return (await git(repo, ['check-ref-format', `refs/heads/${name}`], options)).exitCode === 0
}
