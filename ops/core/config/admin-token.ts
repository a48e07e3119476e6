import { codeOf } from '#shared/system-error'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { knowSecrets } from '#ops/base/redact/redaction'

/** Longest token file that is read, in bytes. */
const maxBytes = 4096

/**
 * Reads the admin token. The file must be regular, not empty, and not writable by group or others; a FIFO or device is
 * never waited on.
 * @throws {Problem} `token_not_configured`; the message names the reason and never the content
 */
export function readAdminToken(path: string): string {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const code = codeOf(error) ?? 'unknown'
    const why =
      code === 'EACCES'
        ? `cannot be read by this user (EACCES); on a host, run hq as root`
        : `cannot be opened (${code})`
    throw new Problem('token_not_configured', `The admin token file ${path} ${why}.`, {
      cause: error,
    })
  }
  try {
    const info = fstatSync(file)
    const refuse = (why: string): never => {
      throw new Problem('token_not_configured', `The admin token file ${path} ${why}.`)
    }
    if (!info.isFile()) refuse('is not a regular file')
    if ((info.mode & 0o022) !== 0) refuse('is writable by group or others')
    if (info.size > maxBytes) refuse('is too large')
    const buffer = Buffer.alloc(maxBytes)
    const length = readSync(file, buffer, 0, maxBytes, 0)
    const token = buffer.toString('utf8', 0, length).replace(/\r?\n$/, '')
    if (token.trim() === '') refuse('is empty')
    knowSecrets([token]) // it may be newer than this process
    return token
  } finally {
    closeSync(file)
  }
}
