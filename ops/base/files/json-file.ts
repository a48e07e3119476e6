import { hasCode, messageOf } from '#shared/system-error'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { Problem, type ErrorClass } from '#shared/errors'
import { writeAll } from './write-all.ts'
import { syncFolder } from './sync-folder.ts'

/**
 * Writes a JSON file whole or not at all: a temporary file in the same folder, every byte counted, fsync,
 * rename, fsync of the folder. After a crash at any point the old or the new content is there, never a mixture.
 *
 * @param mode permission bits of the file; set on the descriptor, so the umask cannot widen or narrow them
 * @throws the system's error (ENOSPC, EROFS, EISDIR …); the target is then untouched and the temporary file removed
 */
export function writeJson(
  path: string,
  value: unknown,
  { mode = 0o644 }: { mode?: number } = {},
): void {
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`, { mode })
}

/** The same promise for a file that is not JSON. */
export function writeWhole(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644, owner }: { mode?: number; owner?: { uid: number; gid: number } } = {},
): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true })
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeAll(file, bytes)
      if (owner !== undefined) fchownSync(file, owner.uid, owner.gid)
      fchmodSync(file, mode)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncFolder(folder)
}

/** One line that names each bad field and what is wrong with it. */
export const describeIssues = (error: z.ZodError): string =>
  error.issues
    .map((issue) => `${issue.path.map(String).join('.') || '(whole file)'}: ${issue.message}`)
    .join('; ')

/**
 * Largest JSON file that is read, in bytes: its reader holds all of it in memory, and answers no request meanwhile.
 */
const maxJsonBytes = 64 * 1024 * 1024

/** A FIFO or device is never waited on, a folder never read. */
function readRegular(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const info = fstatSync(file)
    if (!info.isFile()) throw new Error('it is not a regular file')
    if (info.size > maxJsonBytes)
      throw new Error(`it has ${info.size} bytes, more than ${maxJsonBytes}`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/**
 * Reads a JSON file and checks it.
 * @returns the value, or undefined when the file does not exist
 * @throws {Problem} of class `errorClass` when it cannot be read, is not JSON, or is off the schema; the message names
 *   the field
 */
export function readJson<T extends z.ZodType>(
  path: string,
  schema: T,
  errorClass: ErrorClass,
): z.output<T> | undefined {
  const text = readText(path, errorClass)
  return text === undefined ? undefined : parseJson(text, schema, { errorClass, origin: path })
}

/**
 * Reads a text file of at most 64 MiB.
 * @returns undefined when the file does not exist
 * @throws {Problem} of class `errorClass` when it cannot be read
 */
export function readText(path: string, errorClass: ErrorClass): string | undefined {
  try {
    return readRegular(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw new Problem(errorClass, `${path} cannot be read: ${String(error)}`, { cause: error })
  }
}

/** The same for text that came from elsewhere. @param origin how the error names it */
export function parseJson<T extends z.ZodType>(
  text: string,
  schema: T,
  { errorClass, origin }: { readonly errorClass: ErrorClass; readonly origin: string },
): z.output<T> {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new Problem(errorClass, `${origin} is not JSON: ${messageOf(error)}`, { cause: error })
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new Problem(errorClass, `${origin}: ${describeIssues(parsed.error)}`, {
      cause: parsed.error,
    })
  return parsed.data
}
