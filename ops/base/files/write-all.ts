import { writeSync } from 'node:fs'

/**
 * Writes every byte to an open file. A full disk or a size limit shows as a short count and not as an error: the rest
 * is written until it is one.
 * @throws the system's error (ENOSPC, EPIPE …); also ENOSPC when nothing more is taken
 */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    const count = writeSync(file, bytes, done, bytes.length - done)
    if (count === 0)
      throw Object.assign(new Error('ENOSPC: nothing more could be written'), { code: 'ENOSPC' })
    done += count
  }
}
