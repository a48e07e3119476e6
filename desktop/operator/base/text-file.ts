import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { proofPath } from '#shared/proof'
import { Problem } from '#shared/errors'

/** Longest text that is shown at once, in bytes. */
const maxShownBytes = 1024 * 1024

/** @throws {Problem} `not_found` unless `path` is a regular file inside `folder`, reached without leaving it */
export function insideFolder(folder: string, path: string): string {
  const missing = (cause?: unknown): Problem =>
    new Problem('not_found', `${path} is not among the files of this run.`, { cause })
  if (!proofPath.safeParse(path).success) throw missing()
  try {
    const [base, real] = [realpathSync(folder), realpathSync(join(folder, path))]
    if (real.startsWith(base + sep)) return real
  } catch (error) {
    throw missing(error)
  }
  throw missing()
}

/** The same as text. @throws {Problem} `not_found` */
export function readTextHead(
  path: string,
  maxBytes: number = maxShownBytes,
): { text: string; truncated: boolean } {
  const { bytes, size } = readHead(path, maxBytes)
  return { text: bytes.toString('utf8'), truncated: size > maxBytes }
}

/**
 * The head of a regular file.
 * @param maxBytes most bytes that are read
 * @returns `size`: of the whole file, in bytes
 * @throws {Problem} `not_found`
 */
export function readHead(path: string, maxBytes: number): { bytes: Buffer; size: number } {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    throw new Problem('not_found', `${path} cannot be read.`, { cause: error })
  }
  try {
    const info = fstatSync(file)
    if (!info.isFile()) throw new Problem('not_found', `${path} is not a regular file.`)
    const bytes = Buffer.alloc(Math.min(info.size, maxBytes))
    let length = 0
    while (length < bytes.length) {
      const count = readSync(file, bytes, length, bytes.length - length, length)
      if (count === 0) break
      length += count
    }
    return { bytes: bytes.subarray(0, length), size: info.size }
  } finally {
    closeSync(file)
  }
}
