import { hasCode } from '#shared/system-error'
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Problem } from '#shared/errors'

/** Largest file that is given out, in bytes. */
export const maxArtifactBytes = 16 * 1024 * 1024
/** Most entries of one listing; of a longer one the last by name are given, which for run ids are the newest. */
export const maxArtifactEntries = 2000

export interface ArtifactEntry {
  readonly name: string
  readonly type: 'file' | 'directory'
  readonly size: number | null
}

export type Artifact =
  | {
      readonly type: 'directory'
      readonly path: string
      readonly entries: readonly ArtifactEntry[]
    }
  | {
      readonly type: 'file'
      readonly path: string
      readonly size: number
      readonly contentType: string
      readonly stream: Readable
    }

const missing = (path: string): Problem =>
  new Problem('not_found', `There is no artifact ${JSON.stringify(path)}.`)
const plain = /^[^.\u0000-\u001f\u007f/\\][^\u0000-\u001f\u007f/\\]*$/

/**
 * @returns the parts of a path below the artifacts folder; [] is the folder itself
 * @throws {Problem} `not_found` for `..`, dotfiles and the like
 */
export function artifactParts(path: string): string[] {
  const inner = path.replace(/\/$/, '')
  const parts = inner === '' ? [] : inner.split('/')
  // The same answer as for a file that does not exist: the answer says nothing about what lies outside.
  if (!parts.every((part) => part.length <= 255 && plain.test(part))) throw missing(path)
  return parts
}

/**
 * Opens a file or lists a folder below `root`. Nothing outside is ever reached: no `..`, no dotfile, no symbolic link
 * anywhere below the root, also when one is put there in between, because what was opened is checked, not what was
 * named.
 *
 * @param path relative to `root`, `/` between parts; empty for the root itself
 * @throws {Problem} `not_found`; `body_too_large` for a file over `maxArtifactBytes`
 */
export function openArtifact(root: string, path: string): Artifact {
  const parts = artifactParts(path)
  const name = parts.join('/')
  const { file, info } = openPlain(root, parts, path)
  let handedOver = false
  try {
    if (info.isDirectory())
      return { type: 'directory', path: name, entries: listFolder(join(root, ...parts), file) }
    if (!info.isFile()) throw missing(path)
    if (info.size > maxArtifactBytes)
      throw new Problem(
        'body_too_large',
        `${name} has ${info.size} bytes; at most ${maxArtifactBytes} are sent at once. The file is untouched.`,
      )
    const contentType = name.endsWith('.json')
      ? 'application/json; charset=utf-8'
      : 'text/plain; charset=utf-8'
    if (info.size === 0)
      return { type: 'file', path: name, size: 0, contentType, stream: Readable.from([]) }
    // A file that is still growing is given as long as it was when it was opened.
    const stream = createReadStream('', { fd: file, start: 0, end: info.size - 1 })
    handedOver = true
    return { type: 'file', path: name, size: info.size, contentType, stream }
  } finally {
    if (!handedOver) closeSync(file)
  }
}

function openPlain(
  root: string,
  parts: readonly string[],
  path: string,
): { file: number; info: Stats } {
  let file: number
  try {
    file = openSync(
      join(root, ...parts),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENAMETOOLONG')) throw missing(path)
    throw error
  }
  try {
    const info = fstatSync(file)
    const expected = join(realpathSync(root), ...parts)
    if (whereIs(file, expected, info) !== expected) throw missing(path)
    return { file, info }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** Real path of an open file. Where the kernel hides it, the name is resolved again and must be the same file. */
function whereIs(file: number, expected: string, info: Stats): string | null {
  if (process.platform === 'linux') return readlinkSync(`/proc/self/fd/${file}`)
  const real = realpathSync(expected)
  const again = lstatSync(real)
  return again.ino === info.ino && again.dev === info.dev ? real : null
}

function listFolder(folder: string, file: number): ArtifactEntry[] {
  // Through the descriptor where that is possible, so that the folder listed is the folder that was checked.
  const path = process.platform === 'linux' ? `/proc/self/fd/${file}` : folder
  const names = readdirSync(path, { withFileTypes: true })
    .filter((entry) => plain.test(entry.name) && (entry.isFile() || entry.isDirectory()))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .slice(-maxArtifactEntries)
  return names.flatMap((entry): ArtifactEntry[] => {
    if (entry.isDirectory()) return [{ name: entry.name, type: 'directory', size: null }]
    try {
      return [{ name: entry.name, type: 'file', size: lstatSync(join(path, entry.name)).size }]
    } catch {
      return [] // removed since the listing
    }
  })
}
