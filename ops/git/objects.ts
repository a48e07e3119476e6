import { Problem } from '#shared/errors'
import { commitId } from '#shared/ids'
import { readRef } from './refs.ts'
import { git, gitText, type GitOptions } from './run-git.ts'

/**
 * Text of a blob, by its id, by `<commit>:<path>`, or by the whole name of the ref (`refs/…`) that names it.
 * @returns null when there is no such blob
 * @throws {Problem} `internal_error` when it is larger than `keepBytes` (default 8 MiB)
 */
export async function readBlob(repo: string, nameOrRef: string, options: GitOptions = {}): Promise<string | null> {
  const name = nameOrRef.startsWith('refs/') && !nameOrRef.includes(':') ? await readRef(repo, nameOrRef, options) : nameOrRef
  if (name === null) return null
  const type = await git(repo, ['cat-file', '-t', '--end-of-options', name], options)
  if (type.exitCode !== 0 || type.stdout.trim() !== 'blob') return null
  const result = await git(repo, ['cat-file', 'blob', '--end-of-options', name], options)
  if (result.exitCode !== 0) throw new Problem('internal_error', `git cat-file could not read ${name} in ${repo}: ${result.stderrTail}`)
  return result.stdout
}

/** Writes a blob into the object store. @returns its id */
export async function writeBlob(repo: string, text: string, options: GitOptions = {}): Promise<string> {
  return commitId.parse(await gitText(repo, ['hash-object', '-w', '--no-filters', '--stdin'], { ...options, input: text }))
}

/**
 * What a commit tracks at `path`, or at one of the folders above it that would have to be a folder.
 * @param path inside the repository, without a leading slash
 * @returns the tracked path, or null when the place is free
 */
export async function trackedAt(repo: string, commit: string, path: string, options: GitOptions = {}): Promise<string | null> {
  const parts = path.split('/')
  for (const n of parts.keys()) {
    const place = parts.slice(0, n + 1).join('/')
    const type = await git(repo, ['cat-file', '-t', '--end-of-options', `${commit}:${place}`], options)
    if (type.exitCode !== 0) return null
    if (place === path || type.stdout.trim() !== 'tree') return place
  }
  return null
}
