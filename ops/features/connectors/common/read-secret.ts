import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  type Stats,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import type { z } from 'zod'
import { maxSecretBytes } from '#shared/connectors'
import { Problem } from '#shared/errors'
import { connectorFileRule, connectorFolderRule, octal, wrongWith } from '#ops/base/files/file-rule'
import { knowSecrets } from '#ops/base/redact/redaction'
import { sha256Of } from '#ops/base/sha256'

export interface SecretKind<T extends z.ZodType> {
  readonly schema: T
  /** The parts that must not appear anywhere. The redaction learns them before the caller gets the value. */
  readonly secrets: (value: z.output<T>) => readonly string[]
  /** Settings of its connector that come with it; absent: none. */
  readonly settings?: (value: z.output<T>) => ConnectorChange
}

/** Some of the settings of one connector in host.json. */
export type ConnectorChange = Readonly<Record<string, unknown>>

/** The file that one kind of secret is kept in. */
export interface SecretFile {
  /** Below `$OPENCLAW_ETC/secrets/`. */
  readonly ref: string
  /** The modes of the connector that read it. */
  readonly modes: readonly string[]
  /** @throws {Problem} `connector_secret_invalid` when these bytes are not such a secret */
  readonly validate: (bytes: Uint8Array) => void
  /** The settings that come with these bytes; none with bytes that are not such a secret. */
  readonly settings: (bytes: Uint8Array) => ConnectorChange
}

export const secretFile = <T extends z.ZodType>(
  ref: string,
  modes: readonly string[],
  kind: SecretKind<T>,
): SecretFile => ({
  ref,
  modes,
  validate: (bytes) => {
    valueOf(bytes, kind, (why) => {
      const what = `The new secret for ${basename(ref)} ${why}`
      return new Problem('connector_secret_invalid', `${what}. Nothing was stored.`)
    })
  },
  settings: (bytes) => {
    if (kind.settings === undefined) return {}
    try {
      return kind.settings(valueOf(bytes, kind, (why) => invalid(ref, why)))
    } catch (error) {
      if (error instanceof Problem) return {} // its check says so
      throw error
    }
  },
})

export interface ReadRules {
  /**
   * The host was installed: owner and mode must be exactly those that the installation sets (docs/SECURITY.md). On a
   * development machine the files belong to the user of this process.
   */
  readonly strict: boolean
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
const unsafe = (why: string): Problem =>
  new Problem('connector_secret_unsafe', `${why}. It was not used, and no request was sent.`)
const invalid = (path: string, why: string): Problem =>
  new Problem('connector_secret_invalid', `${path} ${why}. No request was sent.`)

/** A problem that is a verdict about certain secrets. Without this one it is about all that were used. */
export class SecretProblem extends Problem {
  /** Their files, as they were read: in use, or waiting for their proof. */
  readonly files: readonly string[]
  private constructor({ errorClass, message }: Problem, files: readonly string[], cause: unknown) {
    super(errorClass, message, { cause })
    this.files = files
  }

  /** @param paths of the secrets that it is about */
  static of(error: unknown, paths: readonly string[]): unknown {
    if (!(error instanceof Problem) || error instanceof SecretProblem) return error
    return new SecretProblem(
      error,
      paths.map((path) => basename(path)),
      error,
    )
  }
}

/** A secret, and what its file held. */
interface ReadSecret<T> {
  readonly value: T
  /** sha256 of the file. */
  readonly sha256: string
}

/**
 * Reads one secret of a connector. No message repeats its content: neither the text of the parser nor the name of a
 * field that is not in the schema.
 *
 * @throws {SecretProblem} `CONNECTOR_NOT_CONFIGURED` when it is missing; `connector_secret_unsafe` when the file or its
 *   folder is a link, belongs to another user, or is open to others; `connector_secret_invalid` when it does not
 *   match
 */
export function readSecretFile<T extends z.ZodType>(
  path: string,
  kind: SecretKind<T>,
  rules: ReadRules,
): ReadSecret<z.output<T>> {
  try {
    checkFolder(dirname(path), rules)
    const bytes = readGuarded(path, rules)
    const value = valueOf(bytes, kind, (why) => invalid(path, why))
    return { value, sha256: sha256Of(bytes) }
  } catch (error) {
    throw SecretProblem.of(error, [path])
  }
}

/** The secret alone. @throws {SecretProblem} as `readSecretFile` */
export const readSecret = <T extends z.ZodType>(
  path: string,
  kind: SecretKind<T>,
  rules: ReadRules,
): z.output<T> => readSecretFile(path, kind, rules).value

/**
 * The secret that these bytes are. The redaction knows it from now on.
 * @param invalidBecause makes the problem that is thrown; it is given the end of a sentence
 */
function valueOf<T extends z.ZodType>(
  bytes: Uint8Array,
  { schema, secrets }: SecretKind<T>,
  invalidBecause: (why: string) => Problem,
): z.output<T> {
  if (bytes.length > maxSecretBytes)
    throw invalidBecause(`has ${bytes.length} bytes, more than ${maxSecretBytes}`)
  const parsed = schema.safeParse(parse(bytes, invalidBecause))
  if (!parsed.success) throw invalidBecause(`is not valid at ${secretIssues(parsed.error)}`)
  knowSecrets(secrets(parsed.data))
  return parsed.data
}

function checkFolder(folder: string, { strict }: ReadRules): void {
  const at = lstatSync(folder, { throwIfNoEntry: false })
  if (at === undefined)
    throw new Problem(
      'CONNECTOR_NOT_CONFIGURED',
      `There is no ${folder}, so no connector has a secret. No request was sent.`,
    )
  const why = unsafeFolder(folder, at, strict)
  if (why !== null) throw unsafe(why)
}

/** @returns why the folder of the secrets cannot be used; null when it can */
export const unsafeFolder = (path: string, at: Stats, strict: boolean): string | null =>
  wrongWith(connectorFolderRule(path), at, strict) ?? foreignOwner({ path, at, strict })

/** On a development machine the rule names no account. A file of another user is still not a secret of ours. */
function foreignOwner({
  path,
  at: { uid, mode },
  strict,
}: {
  path: string
  at: { uid: number; mode: number }
  strict: boolean
}): string | null {
  const user = process.getuid?.()
  return strict || user === undefined || uid === user
    ? null
    : `${path} (${octal(mode)}) belongs to user ${uid}, not to user ${user}, who runs the check`
}

function readGuarded(path: string, { strict }: ReadRules): Uint8Array {
  let file: number
  try {
    // It never waits for a FIFO or device, and never follows a link.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT')
      throw new Problem(
        'CONNECTOR_NOT_CONFIGURED',
        `${path} does not exist. No request was sent.`,
        {
          cause: error,
        },
      )
    throw unsafe(
      code === 'ELOOP' ? `${path} is a symbolic link` : `${path} cannot be opened (${code})`,
    )
  }
  try {
    const at = fstatSync(file)
    const why = wrongWith(connectorFileRule(path), at, strict) ?? foreignOwner({ path, at, strict })
    if (why !== null) throw unsafe(why)
    if (at.size > maxSecretBytes)
      throw invalid(path, `has ${at.size} bytes, more than ${maxSecretBytes}`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function parse(bytes: Uint8Array, invalidBecause: (why: string) => Problem): unknown {
  let foreignName = false
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const value: unknown = JSON.parse(text, (name, inner: unknown) => {
      // It names the prototype of an object and not a field, wherever the value is copied.
      foreignName ||= name === '__proto__'
      return inner
    })
    if (!foreignName) return value
  } catch {
    throw invalidBecause('is not JSON') // the message of the parser quotes the content
  }
  throw invalidBecause('has a field of a name that no field may have')
}

/** The fields that do not match the schema, and how. The name of an unknown field is not repeated. */
export const secretIssues = ({ issues }: z.ZodError): string =>
  [
    ...new Set(
      issues.map(({ path, code, message }) => {
        const fault =
          code === 'custom' || code === 'invalid_format' ? message : code.replaceAll('_', ' ')
        return `${path.map(String).join('.') || 'the whole file'} (${fault})`
      }),
    ),
  ]
    .slice(0, 5)
    .join(', ')
