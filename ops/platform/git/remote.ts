import { commitId } from '#shared/ids'
import type { CommandResult } from '#ops/base/process/command'
import { git, gitText, type GitOptions } from './run-git.ts'

/** @param refs names, or refspecs for a fetch or push */
interface RemoteRefs {
  readonly remote: string
  readonly refs: readonly string[]
}

/**
 * Updates refs from a remote: exactly `refs`, pruned to what the remote has, no tags, no submodules. A non-zero exit is
 * not an error here.
 */
export const fetchRefs = (
  repo: string,
  { remote, refs }: RemoteRefs,
  options: GitOptions = {},
): Promise<CommandResult> =>
  git(
    repo,
    [
      'fetch',
      '--quiet',
      '--no-tags',
      '--prune',
      '--no-recurse-submodules',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--end-of-options',
      remote,
      ...refs,
    ],
    { timeLimitSeconds: 300, ...options, network: true },
  )

/**
 * What the remote itself says its refs are, now.
 * @returns the refs among `refs` that exist
 * @throws {Problem} `remote_unreachable`
 */
export async function lsRemote(
  repo: string,
  { remote, refs }: RemoteRefs,
  options: GitOptions = {},
): Promise<Map<string, string>> {
  const text = await gitText(repo, ['ls-remote', '--quiet', '--end-of-options', remote, ...refs], {
    timeLimitSeconds: 120,
    ...options,
    network: true,
    errorClass: 'remote_unreachable',
  })
  const rows =
    text === '' ? [] : text.split('\n').map((line) => line.split('\t') as [string, string])
  // ls-remote matches by the end of the name: `refs/heads/main` also gives `refs/x/refs/heads/main`.
  return new Map(
    rows.filter(([, ref]) => refs.includes(ref)).map(([id, ref]) => [ref, commitId.parse(id)]),
  )
}

/** Pushes refspecs and nothing besides; what it printed for programs is its standard output. */
const push = (
  repo: string,
  { remote, refs }: RemoteRefs,
  { flags = [], ...options }: GitOptions & { readonly flags?: readonly string[] },
): Promise<CommandResult> =>
  git(
    repo,
    [
      'push',
      ...flags,
      '--porcelain',
      '--no-follow-tags',
      '--no-recurse-submodules',
      '--end-of-options',
      remote,
      ...refs,
    ],
    { timeLimitSeconds: 300, ...options, network: true },
  )

/**
 * The push of a ship: all refs or none, never forced, nothing pushed besides, hooks on unless `options` turn them off.
 * @returns how it ended; whether it happened is to be read from the remote, not from here
 */
export const pushAtomic = (
  repo: string,
  what: RemoteRefs,
  options: GitOptions = {},
): Promise<CommandResult> => push(repo, what, { flags: ['--atomic'], hooks: true, ...options })

/** Deletes refs of a remote, each by itself. @returns how it ended; a ref that was not there counts as a failure */
export const deleteRemoteRefs = (
  repo: string,
  { remote, refs }: RemoteRefs,
  options: GitOptions = {},
): Promise<CommandResult> => push(repo, { remote, refs: refs.map((ref) => `:${ref}`) }, options)

/** Does the repository know this remote? */
export const hasRemote = async (
  repo: string,
  remote: string,
  options: GitOptions = {},
): Promise<boolean> =>
  (await git(repo, ['config', '--get-all', `remote.${remote}.url`], options)).exitCode === 0
