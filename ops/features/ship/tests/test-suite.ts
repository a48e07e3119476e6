// One suite of the tests gate: prepare, run, read the report, judge it.
import { existsSync } from 'node:fs'
import { errorRule, Problem, type ErrorClass } from '#shared/errors'
import type { CommandResult } from '#ops/base/process/command'
import { ProgramOutput } from '#ops/core/pipeline/program-output'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { programArgv } from '#ops/base/process/program'
import type { TestSuite } from '#ops/features/ship/state/gate-settings'
import { readJunit, totalOf, type TestCase, type TestReport } from './junit/index.ts'
import { suiteEnv } from './install-folders.ts'
import { clearReport, reportBytes } from './report-file.ts'

const untouched = 'Nothing was pushed.'

/** What one suite is run with. */
export interface SuiteContext {
  /** Clean tree of the commit, real path. */
  readonly folder: string
  readonly context: StepContext
  /** UTC, `YYYY-MM-DD`: the day on which permissions to skip are judged. */
  readonly today: string
}

export interface SuiteRun {
  readonly report: TestReport
  /** What is kept of the report: XML in UTF-8, not yet redacted. */
  readonly copy: string
  readonly problem: Problem | null
}

/**
 * Runs one suite in a clean tree and counts its report. Exit code and report must both say that it passed.
 *
 * @returns the counts, with the failure or the skips as `problem`
 * @throws {Problem} `tests_prepare_failed`, `tests_timeout`, `tests_no_report`, and `tests_failed` when the command
 *   cannot be started
 */
export async function runSuite(suite: TestSuite, within: SuiteContext): Promise<SuiteRun> {
  if (suite.prepare) await prepare(suite, suite.prepare, within)
  const path = clearReport(suite, within.folder)
  const run = await start(suite, { argv: suite.argv, errorClass: 'tests_failed' }, within)
  if (run.timedOut)
    throw new Problem(
      'tests_timeout',
      `${suite.name}: the tests took longer than ${suite.timeout_seconds} s. ${untouched}`,
    )
  // A command that fails before it writes a report says itself why; the missing report is only what follows.
  if (run.exitCode !== 0 && !existsSync(path))
    throw ended(run, { suite, what: 'the command wrote no report and' })
  const { signal } = within.context
  const bytes = reportBytes({ path, suite, folder: within.folder, signal })
  const { report, copy } = await readJunit(bytes, suite.report.path)
  return { report, copy, problem: judge(suite, { report, run }, within.today) }
}

/** Does the suite try the guards of HQ itself? */
export const isSelftest = ({ argv }: Pick<TestSuite, 'argv'>): boolean =>
  argv[0] === 'hq' && argv[1] === 'selftest'

/** The failure that is reported when several suites fail: a suite that broke before a suite that was refused. */
export const worst = (problems: readonly Problem[]): Problem | undefined =>
  problems.find(({ errorClass }) => errorRule(errorClass).blocked !== true) ?? problems[0]

/** @throws {Problem} `tests_prepare_failed` */
async function prepare(
  suite: TestSuite,
  argv: readonly string[],
  within: SuiteContext,
): Promise<void> {
  const errorClass = 'tests_prepare_failed'
  const prepared = await start(suite, { argv, errorClass }, within)
  if (prepared.timedOut)
    throw new Problem(
      errorClass,
      `${suite.name}: preparing took longer than ${suite.timeout_seconds} s. ${untouched}`,
    )
  if (prepared.exitCode !== 0)
    throw ended(prepared, { suite, what: `prepare (${argv.join(' ')})`, errorClass })
}

interface Ended {
  readonly suite: TestSuite
  /** Start of the sentence, before "ended with". */
  readonly what: string
  readonly errorClass?: ErrorClass
}

/** A command that ended by itself and not with 0. */
function ended(run: SuiteCommand, { suite, what, errorClass = 'tests_failed' }: Ended): Problem {
  const { firstError, lastLines } = run.output
  const said = firstError === null ? ' and printed nothing' : `: ${firstError}`
  return new Problem(
    errorClass,
    `${suite.name}: ${what} ended with ${run.exitCode ?? run.signal}${said}. ${untouched}`,
    { evidence: lastLines },
  )
}

/** How a command of a suite ended, and what it printed. */
interface SuiteCommand extends CommandResult {
  readonly output: ProgramOutput
}

/** Runs one command of the suite. @throws {Problem} `errorClass` when it cannot be started */
async function start(
  suite: TestSuite,
  { argv, errorClass }: { readonly argv: readonly string[]; readonly errorClass: ErrorClass },
  { folder, context }: SuiteContext,
): Promise<SuiteCommand> {
  const output = new ProgramOutput()
  try {
    const result = await context.run(withInstalledHq(argv), {
      cwd: folder,
      env: suiteEnv(folder),
      timeLimitSeconds: suite.timeout_seconds,
      onLine: output.take,
      follows: output.wantsMore,
    })
    return { ...result, output }
  } catch (error) {
    // A program that cannot be started is a fault of the project, not of HQ.
    if (error instanceof Problem && error.errorClass === 'internal_error')
      throw new Problem(errorClass, `${suite.name}: ${error.message} ${untouched}`, {
        cause: error,
      })
    throw error
  }
}

/** A leading `hq` is the HQ that runs this ship, never a program of that name in the change or in PATH. */
const withInstalledHq = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'hq' ? programArgv('hq', argv.slice(1)) : argv

interface Finished {
  readonly report: TestReport
  readonly run: SuiteCommand
}

const judge = (suite: TestSuite, finished: Finished, today: string): Problem | null =>
  failureOf(suite, finished) ?? skipsOf(suite, finished.report, today)

function failureOf(suite: TestSuite, { report, run }: Finished): Problem | null {
  const { failed } = report
  if (failed > 0) {
    const evidence = report.failures.slice(0, 10).map(({ name, message }) => `${name}: ${message}`)
    const first = evidence[0] === undefined ? '' : `, first ${evidence[0]}`
    return new Problem(
      'tests_failed',
      `${suite.name}: ${failed} of ${totalOf(report)} tests failed${first}. ${untouched}`,
      { evidence },
    )
  }
  if (run.exitCode === 0) return null
  return ended(run, { suite, what: 'the report shows no failure, but the command' })
}

/** Tests that were skipped, or are to do, without a current permission. */
function skipsOf(suite: TestSuite, report: TestReport, today: string): Problem | null {
  const isAllowed = (test: TestCase): boolean =>
    suite.allowed_skips.some((allowed) => isNamedBy(test, allowed.test) && allowed.expires >= today)
  const refused = report.skips.filter((test) => !isAllowed(test))
  const unnamed = report.skipped + report.todo - report.skips.length
  if (refused.length === 0 && unnamed === 0) return null
  const evidence = [
    ...refused.map(skipText),
    ...(unnamed > 0 ? [`${unnamed} skipped tests that the report does not name`] : []),
  ].slice(0, 20)
  const count = refused.length + unnamed
  return new Problem(
    'tests_skipped',
    `${suite.name}: ${count} tests were skipped and no current permission covers them, ` +
      `first ${evidence[0]}. ${untouched}`,
    { evidence },
  )
}

/** The test alone, or with all or the last parts of what it belongs to. A title may contain a dot itself. */
const isNamedBy = ({ name, title }: TestCase, permitted: string): boolean =>
  permitted === name ||
  permitted === title ||
  (permitted.endsWith(`.${title}`) && name.endsWith(`.${permitted}`))

/** node:test writes `true` when no reason is given. */
function skipText({ name, outcome, message }: TestCase): string {
  const reason = message === 'true' ? '' : message
  const state = outcome === 'todo' && reason !== 'to do' ? 'to do' : ''
  return [name, state, reason].filter((part) => part !== '').join(': ')
}
