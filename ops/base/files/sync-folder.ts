import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Brings the names in a folder to the disk: a rename survives a power failure only then (fsync(2)). */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
