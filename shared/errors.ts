import { deployErrors } from './errors/deploy.ts'
import { hostErrors } from './errors/host.ts'
import { requestErrors } from './errors/requests.ts'
import type { ErrorRow } from './errors/row.ts'
import { runErrors } from './errors/runs.ts'
import { shipErrors } from './errors/ship.ts'

/**
 * The one table of failure classes, one row each; the rows are in `shared/errors/`, by area.
 * A class that is not listed here cannot be constructed. Reference: `docs/reference/errors.md`.
 */
export const errorTable = {
  ...shipErrors,
  ...deployErrors,
  ...hostErrors,
  ...runErrors,
  ...requestErrors,
} as const

export type ErrorClass = keyof typeof errorTable
export const errorClasses = Object.keys(errorTable) as [ErrorClass, ...ErrorClass[]]

export const errorRule = (errorClass: ErrorClass): ErrorRow => errorTable[errorClass]

/**
 * An expected failure. Everything else that is thrown is a bug and becomes `internal_error`.
 * `message` says what happened, where, and what stays untouched; `evidence` is what a person reads first.
 */
export class Problem extends Error {
  readonly errorClass: ErrorClass
  readonly evidence: readonly string[]
  constructor(
    errorClass: ErrorClass,
    message: string,
    options: { cause?: unknown; evidence?: readonly string[] } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'Problem'
    if (!Object.hasOwn(errorTable, errorClass))
      throw new TypeError(`error class ${errorClass} is not in shared/errors.ts`)
    this.errorClass = errorClass
    this.evidence = options.evidence ?? []
  }
}

/** Result codes of SQLite for a full disk and for a file that must not be written. */
const sqlite = { full: 13, readOnly: 8 } as const

/**
 * Turns anything thrown into a Problem: ENOSPC becomes `disk_full`, EROFS `storage_read_only`, a bug
 * `internal_error`.
 */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  const sqliteCode = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT' || sqliteCode === sqlite.full)
    return new Problem('disk_full', message, { cause: thrown })
  if (code === 'EROFS' || sqliteCode === sqlite.readOnly)
    return new Problem('storage_read_only', message, { cause: thrown })
  return new Problem('internal_error', message, { cause: thrown })
}
