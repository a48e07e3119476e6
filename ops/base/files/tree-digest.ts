import { createHash, type Hash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'

const chunk = Buffer.alloc(256 * 1024)

/**
 * Digest of a folder: every path, its kind, its executable bit and its content, in the order of the paths' bytes.
 * Times,
 * owners and the folder's own path do not count, so that the same build gives the same digest anywhere.
 * @param parts only these files and folders inside `root`, in this order
 * @returns SHA-256, hex @throws the system's error when something cannot be read
 */
export function treeDigest(root: string, parts: readonly string[] = ['']): string {
  const hash = createHash('sha256')
  for (const part of parts) add(hash, root, part)
  return hash.digest('hex')
}

function add(hash: Hash, root: string, path: string): void {
  const full = join(root, path)
  const info = lstatSync(full)
  const head = (kind: string, size: number): void => {
    hash.update(`${kind}\0${path}\0${size}\0`)
  }
  if (info.isSymbolicLink()) {
    const target = readlinkSync(full)
    head('link', Buffer.byteLength(target))
    hash.update(target)
  } else if (info.isDirectory()) {
    head('folder', 0)
    const names = readdirSync(full).toSorted((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    for (const name of names) add(hash, root, path === '' ? name : `${path}/${name}`)
  } else if (info.isFile()) {
    head((info.mode & 0o100) === 0 ? 'file' : 'program', info.size)
    const file = openSync(full, 'r')
    try {
      for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk))
        hash.update(chunk.subarray(0, count))
    } finally {
      closeSync(file)
    }
  } else {
    head('special', 0) // a socket or FIFO left by a build: its being there counts, its content cannot
  }
}
