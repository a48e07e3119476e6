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
import { errorRule, Problem, type ErrorClass } from '#shared/errors'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { programArgv } from '#ops/base/process/program'
import type { TestSuite } from '#ops/features/ship/state/gate-settings'
import { readJunit, type TestReport } from './junit-report.ts'

/** Largest report that is read, in bytes. */
const maxReportBytes = 8 * 1024 * 1024

const untouched = 'Nothing was pushed.'

/** A leading `hq` is the very HQ that runs this ship, never a program of that name in the change or in PATH. */
const ownProgram = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'hq' ? programArgv('hq', argv.slice(1)) : argv

/** Does the suite try the guards of HQ itself? */
export const isSelftest = ({ argv }: Pick<TestSuite, 'argv'>): boolean =>
  argv[0] === 'hq' && argv[1] === 'selftest'

async function runOrSay(
  context: StepContext,
  argv: readonly string[],
  suite: TestSuite,
  folder: string,
  errorClass: ErrorClass,
): Promise<CommandResult> {
  try {
    return await context.run(ownProgram(argv), {
      cwd: folder,
      env: baseEnv({ CI: '1' }),
      timeLimitSeconds: suite.timeout_seconds,
    })
  } catch (error) {
    // A program that cannot be started is the project's matter, not a defect of HQ.
    if (error instanceof Problem && error.errorClass === 'internal_error')
      throw new Problem(errorClass, `${suite.name}: ${error.message} ${untouched}`, {
        cause: error,
      })
    throw error
  }
}

/** Also when a link in the repository leads out. */
const isInside = (path: string, folder: string): boolean =>
  `${realpathSync(path)}${sep}`.startsWith(`${folder}${sep}`)

/** @returns path of the report, which does not exist: a stale one or one that is committed must not be taken for this run's */
function clearReport(suite: TestSuite, folder: string): string {
  const path = join(folder, suite.report.path)
  if (existsSync(dirname(path)) && !isInside(dirname(path), folder))
    throw new Problem(
      'tests_no_report',
      `${suite.name}: its report ${suite.report.path} lies outside the worktree, so it is neither removed nor read. ${untouched}`,
    )
  rmSync(path, { recursive: true, force: true })
  return path
}

/** @returns bytes of the report @throws {Problem} `tests_no_report` unless it is a regular file inside the worktree */
function readReport(path: string, suite: TestSuite, folder: string): Buffer {
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

export interface SuiteRun {
  readonly report: TestReport
  readonly xml: Buffer
  readonly problem: Problem | null
}

/**
 * Runs one suite in a clean worktree and counts its report. Exit code and report must both say yes.
 *
 * @param folder the worktree, real path
 * @param today UTC, `YYYY-MM-DD`
 * @returns the counts, with the failure or the skips as `problem`
 * @throws {Problem} `tests_prepare_failed`, `tests_timeout`, `tests_no_report`, and `tests_failed` when the command cannot be started
 */
export async function runSuite(
  suite: TestSuite,
  folder: string,
  context: StepContext,
  today: string,
): Promise<SuiteRun> {
  if (suite.prepare) {
    const prepared = await runOrSay(context, suite.prepare, suite, folder, 'tests_prepare_failed')
    if (prepared.timedOut)
      throw new Problem(
        'tests_prepare_failed',
        `${suite.name}: preparing took longer than ${suite.timeout_seconds} s. ${untouched}`,
      )
    if (prepared.exitCode !== 0)
      throw new Problem(
        'tests_prepare_failed',
        `${suite.name}: ${suite.prepare.join(' ')} ended with ${prepared.exitCode ?? prepared.signal}. ${untouched}`,
      )
  }
  const path = clearReport(suite, folder)
  const run = await runOrSay(context, suite.argv, suite, folder, 'tests_failed')
  if (run.timedOut)
    throw new Problem(
      'tests_timeout',
      `${suite.name}: the tests took longer than ${suite.timeout_seconds} s. ${untouched}`,
    )
  const xml = readReport(path, suite, folder)
  const report = readJunit(xml.toString('utf8'), suite.report.path)
  return { report, xml, problem: judge(suite, report, run, today) }
}

function judge(
  suite: TestSuite,
  report: TestReport,
  run: CommandResult,
  today: string,
): Problem | null {
  if (report.failed > 0) {
    const evidence = report.cases
      .filter(({ outcome }) => outcome === 'failed')
      .slice(0, 10)
      .map(({ name, message }) => `${name}: ${message}`)
    return new Problem(
      'tests_failed',
      `${suite.name}: ${report.failed} of ${report.failed + report.passed + report.skipped} tests failed${evidence[0] === undefined ? '' : `, first ${evidence[0]}`}. ${untouched}`,
      { evidence },
    )
  }
  if (run.exitCode !== 0)
    return new Problem(
      'tests_failed',
      `${suite.name}: the report shows no failure, but the command ended with ${run.exitCode ?? run.signal}. ${untouched}`,
    )
  const skipped = report.cases.filter(({ outcome }) => outcome === 'skipped')
  const refused = skipped.filter(
    ({ name }) =>
      !suite.allowed_skips.some(
        (allowed) =>
          (allowed.test === name || name.endsWith(`.${allowed.test}`)) && allowed.expires >= today,
      ),
  )
  const unnamed = report.skipped - skipped.length
  if (refused.length === 0 && unnamed === 0) return null
  const evidence = [
    ...refused.map(({ name, message }) =>
      message === '' || message === 'true' ? name : `${name}: ${message}`,
    ),
    ...(unnamed > 0 ? [`${unnamed} skipped tests that the report does not name`] : []),
  ].slice(0, 20)
  return new Problem(
    'tests_skipped',
    `${suite.name}: ${refused.length + unnamed} tests were skipped and no current permission covers them, first ${evidence[0]}. ${untouched}`,
    { evidence },
  )
}

/** The failure that is reported when several suites fail: one that broke before one that was refused. */
export const worst = (problems: readonly Problem[]): Problem | undefined =>
  problems.find(({ errorClass }) => errorRule(errorClass).blocked !== true) ?? problems[0]
