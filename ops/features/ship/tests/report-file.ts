// The report file of a suite: inside the worktree, a regular file, written by this run.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import type { TestSuite } from '#ops/features/ship/state/gate-settings'

/** Bytes that are read at once. */
const pieceBytes = 64 * 1024

const untouched = 'Nothing was pushed.'

/**
 * Removes the report that lies there: a stale or committed one must not be taken for this run's.
 * @returns its path
 * @throws {Problem} `tests_no_report` when the path leads out of the worktree
 */
export function clearReport(suite: TestSuite, folder: string): string {
  const path = join(folder, suite.report.path)
  if (existsSync(dirname(path)) && !isInside(dirname(path), folder))
    throw new Problem(
      'tests_no_report',
      `${suite.name}: its report ${suite.report.path} lies outside the worktree, so it is neither removed nor read. ` +
        untouched,
    )
  rmSync(path, { recursive: true, force: true })
  return path
}

/** Where the report of one suite lies, and until when it is read. */
export interface ReportSource {
  readonly path: string
  readonly suite: TestSuite
  readonly folder: string
  readonly signal: AbortSignal
}

/**
 * The bytes of the report, in pieces. Other work goes on between them.
 * @throws {Problem} `tests_no_report` unless it is a regular file inside the worktree; the reason of an aborted signal
 */
export async function* reportBytes(source: ReportSource): AsyncGenerator<Buffer> {
  const file = openReport(source)
  try {
    const piece = Buffer.allocUnsafe(pieceBytes)
    for (;;) {
      const length = readSync(file, piece)
      if (length === 0) return
      yield piece.subarray(0, length)
      source.signal.throwIfAborted()
      await setImmediate()
    }
  } finally {
    closeSync(file)
  }
}

/** @returns descriptor of the report. @throws {Problem} `tests_no_report` */
function openReport({ path, suite, folder }: ReportSource): number {
  const none = (why: string, cause?: unknown): Problem =>
    new Problem(
      'tests_no_report',
      `${suite.name}: its report ${suite.report.path} ${why}, so there is no proof that the tests passed. ${untouched}`,
      { cause },
    )
  let file: number
  try {
    if (!isInside(dirname(path), folder)) throw none('lies outside the worktree')
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw none('was not written', error)
  }
  if (fstatSync(file).isFile()) return file
  closeSync(file)
  throw none('is not a regular file')
}

/** Also false when a link in the repository leads out. */
const isInside = (path: string, folder: string): boolean =>
  `${realpathSync(path)}${sep}`.startsWith(`${folder}${sep}`)
