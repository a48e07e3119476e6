import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/**
 * Reads a file of another account without trusting it: no link is followed, and a pipe or device is not waited for.
 * @param maxBytes most bytes that it may have
 * @returns null for what does not exist, is no regular file, is larger, or is not for this process to read
 */
export function readRegularFile(path: string, maxBytes: number): string | null {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return null // as said above
  }
  try {
    const info = fstatSync(file)
    return info.isFile() && info.size <= maxBytes ? readFileSync(file, 'utf8') : null
  } finally {
    closeSync(file)
  }
}
