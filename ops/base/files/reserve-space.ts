import { closeSync, openSync } from 'node:fs'
import { writeAll } from './write-all.ts'

/**
 * Fills a file with zeros: deleting it gives back that much room, on a disk that became full meanwhile.
 * @param bytes how much is kept
 * @throws the system's error (ENOSPC, EROFS …)
 */
export function reserveSpace(path: string, bytes: number): void {
  const file = openSync(path, 'w', 0o600)
  try {
    writeAll(file, Buffer.alloc(bytes))
  } finally {
    closeSync(file)
  }
}
