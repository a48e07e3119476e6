import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { Problem } from '#shared/errors'
import { connectorFileRule, connectorFolderRule, octal, wrongWith } from '#ops/base/files/file-rule'
import { knowSecrets } from '#ops/base/redact/redaction'

/** Largest secret of a connector, in bytes. A captured login is a few dozen KiB. */
const maxBytes = 1024 * 1024

export interface SecretKind<T extends z.ZodType> {
  readonly schema: T
  /** What of it must not get out. Made known to the redaction before anybody else sees the value. */
  readonly secrets: (value: z.output<T>) => readonly string[]
}

export interface ReadRules {
  /** The host was installed: owner and mode are those of design §4, to the letter. Else the files are this process's own user's. */
  readonly strict: boolean
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
const unsafe = (why: string): Problem =>
  new Problem('connector_secret_unsafe', `${why}. It was not used, and nobody was asked.`)
const invalid = (path: string, why: string): Problem =>
  new Problem('connector_secret_invalid', `${path} ${why}. Nobody was asked.`)

/**
 * Reads one secret of a connector. No message has anything of its content: neither the parser's words nor a field's name
 * that is not of the schema.
 *
 * @throws {Problem} `CONNECTOR_NOT_CONFIGURED` when it is not there; `connector_secret_unsafe` when it, or its folder, is a
 *   link, of another owner, or open to others; `connector_secret_invalid` when it is not what the schema says
 */
export function readSecret<T extends z.ZodType>(
  path: string,
  { schema, secrets }: SecretKind<T>,
  rules: ReadRules,
): z.output<T> {
  checkFolder(dirname(path), rules)
  const parsed = schema.safeParse(parse(path, readGuarded(path, rules)))
  if (!parsed.success) throw invalid(path, `is not as it must be at ${placesOf(parsed.error)}`)
  knowSecrets(secrets(parsed.data))
  return parsed.data
}

function checkFolder(folder: string, { strict }: ReadRules): void {
  const at = lstatSync(folder, { throwIfNoEntry: false })
  if (at === undefined)
    throw new Problem(
      'CONNECTOR_NOT_CONFIGURED',
      `There is no ${folder}, so no connector has a secret. Nobody was asked.`,
    )
  const why = wrongWith(connectorFolderRule(folder), at, strict) ?? foreign(folder, at, strict)
  if (why !== null) throw unsafe(why)
}

/** In development there is no account of its own: a file of somebody else is still no secret of ours. */
function foreign(
  path: string,
  { uid, mode }: { uid: number; mode: number },
  strict: boolean,
): string | null {
  const own = process.getuid?.()
  return strict || own === undefined || uid === own
    ? null
    : `${path} (${octal(mode)}) belongs to user ${uid}, not to user ${own}, who runs this`
}

function readGuarded(path: string, { strict }: ReadRules): string {
  let file: number
  try {
    // A FIFO or device is never waited on, a link never followed.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT')
      throw new Problem('CONNECTOR_NOT_CONFIGURED', `${path} is not there. Nobody was asked.`, {
        cause: error,
      })
    throw unsafe(
      code === 'ELOOP' ? `${path} is a symbolic link` : `${path} cannot be opened (${code})`,
    )
  }
  try {
    const at = fstatSync(file)
    const why = wrongWith(connectorFileRule(path), at, strict) ?? foreign(path, at, strict)
    if (why !== null) throw unsafe(why)
    if (at.size > maxBytes) throw invalid(path, `has ${at.size} bytes, more than ${maxBytes}`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(path, 'is not JSON') // the parser's message quotes what it met
  }
}

/** Where a value is off its schema, by field and kind of fault. An unknown field is not named: its name comes from the file. */
const placesOf = ({ issues }: z.ZodError): string =>
  [
    ...new Set(
      issues.map(
        ({ path, code, message }) =>
          `${path.map(String).join('.') || 'the whole file'} (${code === 'custom' || code === 'invalid_format' ? message : code.replaceAll('_', ' ')})`,
      ),
    ),
  ]
    .slice(0, 5)
    .join(', ')
