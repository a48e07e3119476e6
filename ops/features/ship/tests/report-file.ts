// The report file of a suite: inside the worktree, a regular file, written by this run.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { Problem } from '#shared/errors'
import type { TestSuite } from '#ops/features/ship/state/gate-settings'

/** Largest report that is read, in bytes. */
const maxReportBytes = 8 * 1024 * 1024

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

/**
 * @returns bytes of the report
 * @throws {Problem} `tests_no_report` unless it is a regular file inside the worktree
 */
export function readReport(path: string, suite: TestSuite, folder: string): Buffer {
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
  try {
    const info = fstatSync(file)
    if (!info.isFile()) throw none('is not a regular file')
    if (info.size > maxReportBytes) throw none(`is larger than ${maxReportBytes} bytes`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** Also false when a link in the repository leads out. */
const isInside = (path: string, folder: string): boolean =>
  `${realpathSync(path)}${sep}`.startsWith(`${folder}${sep}`)
