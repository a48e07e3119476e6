import { codeOf } from '#shared/system-error'
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { Problem } from '#shared/errors'
import { wrongWith } from '#ops/base/files/file-rule'
import { knowSecrets } from '#ops/base/redact/redaction'

/** Longest token file that is read, in bytes. */
const maxBytes = 4096

/** Bits that nobody may have: others do not read the token, and only its owner writes it. */
const forbidden = { file: 0o027, folder: 0o022 } as const

/**
 * Reads the admin token. The file must be regular, not empty, of this user or root, and not readable by others or
 * writable by group or others; nor may anybody else write the two folders above it, in which it could be replaced. A
 * FIFO or device is never waited on.
 * @throws {Problem} `token_not_configured`; the message names the reason and never the content
 */
export function readAdminToken(path: string): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new Problem('token_not_configured', `The admin token is not used: ${why}.`, { cause })
  }
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const code = codeOf(error) ?? 'unknown'
    const why =
      code === 'EACCES'
        ? `${path} cannot be read by this user (EACCES); on a host, run hq as root`
        : `${path} cannot be opened (${code})`
    return refuse(why, error)
  }
  try {
    const why = whyUnsafe(path, fstatSync(file))
    if (why !== null) return refuse(why)
    const buffer = Buffer.alloc(maxBytes + 1)
    const length = readSync(file, buffer, 0, buffer.length, 0)
    if (length > maxBytes) return refuse(`${path} is too large`)
    const token = buffer.toString('utf8', 0, length).replace(/\r?\n$/, '')
    if (token.trim() === '') return refuse(`${path} is empty`)
    knowSecrets([token]) // it may be newer than this process
    return token
  } finally {
    closeSync(file)
  }
}

/** Why others could know or choose the token; null when nobody can. @param info of the open file */
function whyUnsafe(path: string, info: Stats): string | null {
  const secrets = dirname(path)
  const checked = [
    { path, kind: 'file', at: info },
    { path: secrets, kind: 'folder', at: statSync(secrets) },
    { path: dirname(secrets), kind: 'folder', at: statSync(dirname(secrets)) },
  ] as const
  for (const { at, ...file } of checked) {
    const why = wrongWith({ ...file, forbidden: forbidden[file.kind] }, at, false)
    if (why !== null) return why
    if (at.uid !== 0 && at.uid !== process.geteuid?.())
      return `${file.path} belongs to user ${at.uid}, not to root or the user of this program`
  }
  return null
}
