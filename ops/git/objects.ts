import { Problem } from '#shared/errors'
import { commitId } from '#shared/ids'
import { git, gitText, type GitOptions } from './run-git.ts'

/**
 * Text of a blob, by its id or by `<commit>:<path>`.
 * @returns null when there is no such blob
 * @throws {Problem} `internal_error` when it is larger than `keepBytes` (default 8 MiB)
 */
export async function readBlob(repo: string, name: string, options: GitOptions = {}): Promise<string | null> {
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
