import { createHash } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { manifestName, proofPath, tombstoneName, type ProvenFile } from '#shared/proof'
import { messageOf } from '#shared/system-error'

/** A file of a bundle as it is on disk, or why it is none that a manifest can hold. */
export type FoundFile =
  | ({ readonly ok: true } & ProvenFile)
  | {
      readonly ok: false
      readonly path: string
      readonly reason: string
      /** Of a regular file that was not read, because nobody would compare its digest. */
      readonly unreadSize?: number
    }

export interface ReadOptions {
  /** Also make the content durable: a manifest must not outlive what it speaks of. */
  readonly durable?: boolean
  /** Sizes that a manifest names: a file of another size, or that it does not name, differs already and is not read. */
  readonly sizes?: ReadonlyMap<string, number>
  /** Bytes that are read in all; files beyond are not. Set where no trusted key vouches for the sizes. */
  readonly room?: { left: number }
}

const chunkBytes = 256 * 1024

/**
 * Every file below a bundle's folder with size and digest, sorted by path; not manifest.json and tombstone.json of the
 * folder itself, and no dotfiles (what a crashed write left behind). Symbolic links are never followed.
 *
 * @throws the system's error when the folder itself cannot be listed
 */
export async function readBundleFiles(
  dir: string,
  options: ReadOptions = {},
): Promise<FoundFile[]> {
  const found = await walk(dir, '', options)
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

async function walk(dir: string, inner: string, options: ReadOptions): Promise<FoundFile[]> {
  const found: FoundFile[] = []
  const entries: Dirent[] = await readdir(join(dir, inner), { withFileTypes: true })
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = inner === '' ? entry.name : `${inner}/${entry.name}`
    if (path === manifestName || path === tombstoneName) continue
    if (entry.isDirectory()) found.push(...(await walk(dir, path, options)))
    else if (!entry.isFile())
      found.push({
        ok: false,
        path,
        reason: entry.isSymbolicLink() ? 'it is a symbolic link' : 'it is not a regular file',
      })
    else found.push(await readOne(dir, path, options))
  }
  return found
}

async function readOne(
  dir: string,
  path: string,
  { durable = false, sizes, room }: ReadOptions,
): Promise<FoundFile> {
  if (!proofPath.safeParse(path).success)
    return { ok: false, path, reason: 'its name has characters that a proof file must not have' }
  let file: FileHandle
  try {
    // What was a regular file a moment ago may be a link or a pipe now: neither is followed, and neither blocks.
    file = await open(
      join(dir, path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
  } catch (error) {
    return {
      ok: false,
      path,
      reason: `it cannot be read: ${messageOf(error)}`,
    }
  }
  try {
    const info = await file.stat()
    if (!info.isFile()) return { ok: false, path, reason: 'it is not a regular file' }
    const fits = room === undefined || info.size <= room.left
    if (!fits || (sizes !== undefined && sizes.get(path) !== info.size))
      return {
        ok: false,
        path,
        reason: `it has ${info.size} bytes, and was not read`,
        unreadSize: info.size,
      }
    if (room !== undefined) room.left -= info.size
    const hash = createHash('sha256')
    const buffer = Buffer.alloc(chunkBytes)
    let size = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, size)
      if (bytesRead === 0) break
      hash.update(buffer.subarray(0, bytesRead))
      size += bytesRead
    }
    if (durable) await file.sync()
    return { ok: true, path, size, sha256: hash.digest('hex') }
  } catch (error) {
    return {
      ok: false,
      path,
      reason: `it cannot be read: ${messageOf(error)}`,
    }
  } finally {
    await file.close()
  }
}
