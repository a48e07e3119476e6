import { Problem, type ErrorClass } from '#shared/errors'
import { commitId } from '#shared/ids'
import { TooMuchOutput } from '#ops/base/process/command'
import { readRef } from './refs.ts'
import { git, gitText, type GitOptions } from './run-git.ts'

/**
 * Text of a blob, by its id, by `<commit>:<path>`, or by the whole name of the ref (`refs/…`) that names it.
 * @returns null when there is no such blob
 * @throws {Problem} `tooLarge` (default `internal_error`) when it is larger than `keepBytes` (default 8 MiB);
 *   `internal_error` when git cannot read here
 */
export async function readBlob(
  repo: string,
  nameOrRef: string,
  { tooLarge = 'internal_error', ...options }: GitOptions & { readonly tooLarge?: ErrorClass } = {},
): Promise<string | null> {
  const name =
    nameOrRef.startsWith('refs/') && !nameOrRef.includes(':')
      ? await readRef(repo, nameOrRef, options)
      : nameOrRef
  if (name === null) return null
  if (name.includes('\n'))
    throw new Problem('internal_error', `git would read ${JSON.stringify(name)} as two names.`)
  // One call says what it is, and gives it: a line `<id> blob <bytes>`, the content, a line end.
  const result = await git(repo, ['cat-file', '--batch'], {
    ...options,
    input: `${name}\n`,
  }).catch((error: unknown) => {
    if (error instanceof TooMuchOutput)
      throw new Problem(tooLarge, `${nameOrRef} is larger than ${error.limit} bytes.`, {
        cause: error,
      })
    throw error
  })
  if (result.exitCode !== 0)
    throw new Problem(
      'internal_error',
      `git cat-file could not read ${name} in ${repo}: ${result.stderrTail}`,
    )
  const header = result.stdout.slice(0, result.stdout.indexOf('\n'))
  return /^[0-9a-f]+ blob \d+$/.test(header) ? result.stdout.slice(header.length + 1, -1) : null
}

/**
 * Reads a blob of any size: `onBytes` of the options takes its bytes in pieces.
 * @throws {Problem} `internal_error` when there is no such blob, or it was not read to its end
 */
export async function readInPieces(
  repo: string,
  { id, size }: { readonly id: string; readonly size: number },
  options: GitOptions & Required<Pick<GitOptions, 'onBytes'>>,
): Promise<void> {
  let read = 0
  const onBytes = (piece: Buffer): void => {
    read += piece.length
    options.onBytes(piece)
  }
  await gitText(repo, ['cat-file', 'blob', id], { timeLimitSeconds: 300, ...options, onBytes })
  if (read !== size)
    throw new Problem(
      'internal_error',
      `git cat-file gave ${read} of the ${size} bytes of blob ${id} in ${repo}.`,
    )
}

/** @returns the id of the file at `path` of a commit; null when there is none */
export async function blobIdAt(
  repo: string,
  { commit, path }: { readonly commit: string; readonly path: string },
  options: GitOptions = {},
): Promise<string | null> {
  const text = await gitText(
    repo,
    ['ls-tree', '-z', '--full-tree', '--end-of-options', commit, path],
    options,
  )
  return /^\d+ blob ([0-9a-f]+)\t/.exec(text)?.[1] ?? null
}

/** Writes a blob into the object store. @returns its id */
export async function writeBlob(
  repo: string,
  text: string,
  options: GitOptions = {},
): Promise<string> {
  return commitId.parse(
    await gitText(repo, ['hash-object', '-w', '--no-filters', '--stdin'], {
      ...options,
      input: text,
    }),
  )
}

/**
 * What a commit tracks at `path`, or at one of the folders above it that would have to be a folder.
 * @param what `path`: inside the repository, without a leading slash
 * @returns the tracked path, or null when the path is free
 */
export async function trackedAt(
  repo: string,
  { commit, path }: { readonly commit: string; readonly path: string },
  options: GitOptions = {},
): Promise<string | null> {
  const parts = path.split('/')
  for (const n of parts.keys()) {
    const prefix = parts.slice(0, n + 1).join('/')
    const type = await git(
      repo,
      ['cat-file', '-t', '--end-of-options', `${commit}:${prefix}`],
      options,
    )
    if (type.exitCode !== 0) return null
    if (prefix === path || type.stdout.trim() !== 'tree') return prefix
  }
  return null
}

/** Every file that a commit tracks at `path` or below it, or the file above it that is in its way. */
export async function trackedBelow(
  repo: string,
  { commit, path }: { readonly commit: string; readonly path: string },
  options: GitOptions = {},
): Promise<string[]> {
  const at = await trackedAt(repo, { commit, path }, options)
  if (at === null) return []
  const listed = await gitText(
    repo,
    ['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit, '--', at],
    { keepBytes: 64 * 1024 * 1024, ...options },
  )
  return listed.split('\0').filter((each) => each !== '')
}
