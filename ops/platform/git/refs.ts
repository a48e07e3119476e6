import { git, gitText, type GitOptions } from './run-git.ts'

/** Refs under `prefixes` (each a folder, with its slash, or a pattern of git) and what each names, by name. */
export async function listRefs(
  repo: string,
  prefixes: string | readonly string[],
  options: GitOptions = {},
): Promise<Map<string, string>> {
  const text = await gitText(
    repo,
    ['for-each-ref', '--format=%(objectname) %(refname)', '--end-of-options', ...[prefixes].flat()],
    { keepBytes: 64 * 1024 * 1024, ...options },
  )
  return new Map(
    text === ''
      ? []
      : text
          .split('\n')
          .map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
  )
}

/**
 * @param ref its whole name: a tag or branch that is called like it is another ref, which rev-parse would take for it
 * @returns the object it names, or null when there is no such ref
 */
export async function readRef(
  repo: string,
  ref: string,
  options: GitOptions = {},
): Promise<string | null> {
  const result = await git(
    repo,
    ['show-ref', '--verify', '--hash', '--end-of-options', ref],
    options,
  )
  return result.exitCode === 0 ? result.stdout.trim() : null
}

/**
 * The branch that is checked out, from the whole name of its ref: git's short name is `heads/main` beside a tag `main`.
 * @returns null when no branch is checked out
 */
export async function headBranch(repo: string, options: GitOptions = {}): Promise<string | null> {
  const { exitCode, stdout } = await git(repo, ['symbolic-ref', '--quiet', 'HEAD'], options)
  const branch = /^refs\/heads\/(.+)\n$/.exec(stdout)?.[1]
  return exitCode === 0 && branch !== undefined ? branch : null
}
