// Files in Git LFS: a commit holds pointers; their content lies in a store of its own.
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Problem } from '#shared/errors'
import { hasCode } from '#shared/system-error'
import { git, gitBytes, gitReason, gitText, type GitOptions } from './run-git.ts'
import { commonDir } from './work-tree.ts'

export interface LfsPointer {
  readonly path: string
  readonly executable: boolean
  /** SHA-256 of the content. */
  readonly oid: string
}

/** Bytes of a pointer at most (git-lfs spec). */
const maxPointer = 1024
const pointerText =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\n/

/** Pointers in the tree of a commit. None where no `.gitattributes` of the tree names the filter `lfs`. */
export async function lfsPointers(
  repo: string,
  commit: string,
  options: GitOptions = {},
): Promise<LfsPointer[]> {
  const listed = await gitText(
    repo,
    ['ls-tree', '-r', '-l', '-z', '--full-tree', '--end-of-options', commit],
    { ...options, keepBytes: 256 * 1024 * 1024 },
  )
  const files = listed.split('\0').flatMap((line) => {
    const [, mode = '', id = '', size = '', path = ''] =
      /^(100644|100755) blob ([0-9a-f]+) +(\d+)\t(.*)$/s.exec(line) ?? []
    return id === '' ? [] : [{ mode, id, size: Number(size), path }]
  })
  const attributes = files.filter(({ path }) => /(?:^|\/)\.gitattributes$/.test(path))
  const texts = await contentOf(repo, attributes, options)
  if (![...texts.values()].some((text) => /\bfilter=lfs\b/.test(text))) return []
  const small = files.filter(({ size }) => size <= maxPointer)
  const contents = await contentOf(repo, small, options)
  return small.flatMap(({ mode, id, path }) => {
    const oid = pointerText.exec(contents.get(id) ?? '')?.[1]
    return oid === undefined ? [] : [{ path, executable: mode === '100755', oid }]
  })
}

/** Text of blobs, by their ids. */
async function contentOf(
  repo: string,
  blobs: readonly { readonly id: string }[],
  options: GitOptions,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  if (blobs.length === 0) return found
  const { bytes } = await gitBytes(repo, ['cat-file', '--batch'], {
    ...options,
    input: `${blobs.map(({ id }) => id).join('\n')}\n`,
    keepBytes: 256 * 1024 * 1024,
  })
  if (bytes === null) return found
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\n', at)
    const [id = '', , size = ''] = bytes.toString('latin1', at, end).split(' ')
    found.set(id, bytes.toString('utf8', end + 1, end + 1 + Number(size)))
    at = end + 1 + Number(size) + 1
  }
  return found
}

interface Filling {
  readonly commit: string
  /** Tree of the commit, whose pointers are replaced. */
  readonly folder: string
  /** What stays as it is; the end of the message. */
  readonly untouched: string
}

/**
 * Puts the content of every pointer in place of it, from the store of the clone. What is not there, git-lfs fetches
 * where it is installed. Each content is hashed: only what the commit names gets in.
 * @returns how many files there are in Git LFS
 * @throws {Problem} `lfs_content_missing`
 */
export async function fillPointers(
  repo: string,
  { commit, folder, untouched }: Filling,
  options: GitOptions = {},
): Promise<number> {
  const pointers = await lfsPointers(repo, commit, options)
  if (pointers.length === 0) return 0
  const store = await storeOf(repo, options)
  let left = pointers.filter((each) => !put(store, folder, each))
  const why = left.length === 0 ? '' : await fetchContent(repo, commit, options)
  left = left.filter((each) => !put(store, folder, each))
  const [first] = left
  if (first)
    throw new Problem(
      'lfs_content_missing',
      `${left.length} of ${pointers.length} files in Git LFS are not here, first ${first.path}: ${why}. ${untouched}`,
      { evidence: left.slice(0, 50).map(({ path, oid }) => `${path} ${oid}`) },
    )
  return pointers.length
}

/** @returns why it is not whole */
async function fetchContent(repo: string, commit: string, options: GitOptions): Promise<string> {
  const within = { timeLimitSeconds: 600, ...options, network: true }
  if ((await git(repo, ['lfs', 'version'], within)).exitCode !== 0)
    return 'git-lfs, which fetches them, is not installed'
  const fetched = await git(repo, ['lfs', 'fetch', 'origin', commit], within)
  return fetched.exitCode === 0 ? 'origin does not have them' : gitReason(fetched)
}

async function storeOf(repo: string, options: GitOptions): Promise<string> {
  const common = await commonDir(repo, options)
  const { exitCode, stdout } = await git(repo, ['config', '--get', 'lfs.storage'], options)
  return join(exitCode === 0 ? resolve(common, stdout.trim()) : join(common, 'lfs'), 'objects')
}

/** @returns false when the store does not have the content */
function put(store: string, folder: string, { path, executable, oid }: LfsPointer): boolean {
  const target = join(folder, path)
  let source: number
  try {
    source = openSync(
      join(store, oid.slice(0, 2), oid.slice(2, 4), oid),
      constants.O_RDONLY | constants.O_NONBLOCK,
    )
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
  try {
    if (!fstatSync(source).isFile()) return false
    // A new file: the pointer may be read-only, and a link in its place must not be followed.
    rmSync(target, { force: true })
    mkdirSync(dirname(target), { recursive: true })
    const made = openSync(target, 'wx', executable ? 0o755 : 0o644)
    try {
      if (copy(source, made) === oid) return true
    } finally {
      closeSync(made)
    }
    rmSync(target)
    return false
  } finally {
    closeSync(source)
  }
}

/** @returns SHA-256 of what was copied */
function copy(source: number, target: number): string {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(1024 * 1024)
  for (let length = readSync(source, piece); length > 0; length = readSync(source, piece)) {
    hash.update(piece.subarray(0, length))
    for (let at = 0; at < length;) at += writeSync(target, piece, at, length - at)
  }
  return hash.digest('hex')
}
