// Questions about a history, answered from commits whose content was hashed again.
import { isNamed, refuseObject } from './checked-objects.ts'
import { git, type GitOptions } from './run-git.ts'

/** Most bytes of commit objects that are read at once. */
const keepBytes = 256 * 1024 * 1024

/**
 * True when `ancestor` is part of the history of `commit`, by what the commits' names stand for. A commit is its own
 * ancestor. False when the clone does not have one of them.
 * @throws {Problem} `git_sync_failed` as `readCommits`
 */
export async function isCheckedAncestor(
  repo: string,
  { ancestor, commit }: { readonly ancestor: string; readonly commit: string },
  options: GitOptions,
): Promise<boolean> {
  if (ancestor === commit) return true
  const commits = await readCommits(
    repo,
    ['--ancestry-path', '--end-of-options', commit, `^${ancestor}`],
    options,
  )
  const seen = new Set<string>()
  const left = [commit]
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (id === ancestor) return true
    if (seen.has(id)) continue
    seen.add(id)
    left.push(...(commits.get(id) ?? []))
  }
  return false
}

/**
 * Every commit of a history.
 * @returns null when the clone does not have the commit
 * @throws {Problem} `git_sync_failed` when a parent is missing, or as `readCommits`
 */
export async function checkedHistory(
  repo: string,
  commit: string,
  options: GitOptions,
): Promise<ReadonlySet<string> | null> {
  const commits = await readCommits(repo, ['--end-of-options', commit], options)
  if (!commits.has(commit)) return null
  for (const parents of commits.values())
    for (const parent of parents)
      if (!commits.has(parent)) return refuseObject(repo, commit, `The history (without ${parent})`)
  return new Set(commits.keys())
}

/**
 * Commits and their parents, each hashed again. Git itself trusts a clone's objects, grafts and commit graph, and all
 * of them belong to an account with fewer rights than the decision that rests on the answer.
 * @param args what `git rev-list` is to list
 * @returns empty when git knows no such commits
 * @throws {Problem} `git_sync_failed` when the content of a commit does not match its name
 */
async function readCommits(
  repo: string,
  args: readonly string[],
  options: GitOptions,
): Promise<Map<string, readonly string[]>> {
  const listed = await git(repo, ['rev-list', ...args], { ...options, keepBytes })
  const commits = new Map<string, readonly string[]>()
  if (listed.exitCode !== 0 || listed.stdout === '') return commits
  const { exitCode, stdout } = await git(repo, ['cat-file', '--batch'], {
    ...options,
    input: listed.stdout,
    keepBytes,
    rawStdout: true,
  })
  if (exitCode !== 0) return refuseObject(repo, args.join(' '), 'The commit object')
  for (let at = 0; at < stdout.length;) {
    const end = stdout.indexOf('\n', at)
    const [, id = '', size = ''] = /^([0-9a-f]+) commit (\d+)$/.exec(stdout.slice(at, end)) ?? []
    const bytes = Buffer.from(stdout.slice(end + 1, end + 1 + Number(size)), 'latin1')
    if (id === '' || !isNamed(id, 'commit', bytes))
      return refuseObject(repo, id === '' ? args.join(' ') : id, 'The commit object')
    const head = bytes.toString('latin1').split('\n\n', 1)[0] ?? ''
    commits.set(
      id,
      [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, parent = '']) => parent),
    )
    at = end + 1 + Number(size) + 1
  }
  return commits
}
