import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { runSuite, type TestSuite } from '#ops/features/ship/index'
import { attempting, once, type Attempt, type Violation, type ViolationGroup } from './violation.ts'
import type { Workspace } from './workspace.ts'

const path = 'reports/junit.xml'
const report = (cases: string): string =>
  `<testsuites><testsuite name="planted">${cases}</testsuite></testsuites>`
const passed = '<testcase classname="app" name="adds"/>'
const skipped = `${passed}<testcase classname="app" name="left out"><skipped message="planted"/></testcase>`
const allowed = (expires: string): TestSuite['allowed_skips'] => [
  { test: 'left out', reason: 'planted', expires },
]

interface Suite {
  /** What the tests write; null writes nothing. */
  readonly xml: string | null
  readonly exitCode?: number
  readonly skips?: TestSuite['allowed_skips']
  /** Prepares the folder before they run. */
  readonly before?: (folder: string) => void
}

/** Test runs that must not count as passed. */
export const testsViolations: ViolationGroup = {
  name: 'tests',
  guard: 'The tests gate of a ship',
  prepare: (workspace, signal) => {
    const run = (name: string, suite: Suite): Attempt =>
      suiteRun({ workspace, signal }, name, suite)
    const passing = once(run('clean', { xml: report(passed) }))
    const allowedSkip = once(
      run('skip_allowed', { xml: report(skipped), skips: allowed('2026-06-15') }),
    )
    return Promise.resolve({
      violations: cases(workspace).map(({ name, what, expected, suite }): Violation => ({
        name,
        what,
        expected,
        control: name === 'skip_expired' ? allowedSkip : passing,
        attempt: run(name, suite),
      })),
    })
  },
}

type Case = Pick<Violation, 'name' | 'what' | 'expected'> & { readonly suite: Suite }

function cases(workspace: Workspace): Case[] {
  const failure = '<testcase name="subtracts"><failure message="planted"/></testcase>'
  const rows: readonly [name: string, what: string, expected: string, suite: Suite][] = [
    ['skipped', 'a skipped test', 'tests_skipped', { xml: report(skipped) }],
    [
      'skip_expired',
      'a skipped test whose permission has expired',
      'tests_skipped',
      { xml: report(skipped), skips: allowed('2026-06-14') },
    ],
    [
      'only_skipped',
      'a report with only skipped tests',
      'tests_no_report',
      { xml: report('<testcase name="left out"><skipped/></testcase>') },
    ],
    ['failed', 'a failed test', 'tests_failed', { xml: report(`${passed}${failure}`) }],
    [
      'exit_code',
      'tests that end with an error and report none',
      'tests_failed',
      { xml: report(passed), exitCode: 1 },
    ],
    [
      'unknown_outcome',
      'a test whose outcome is not known to be a pass',
      'tests_failed',
      { xml: report(`${passed}<testcase name="divides" status="undecided"/>`) },
    ],
    [
      'counts_differ',
      'a report that counts more tests than it lists',
      'tests_no_report',
      { xml: `<testsuite name="planted" tests="2">${passed}</testsuite>` },
    ],
    ['no_test', 'a report without a test', 'tests_no_report', { xml: report('') }],
    ['no_report', 'tests without a report', 'tests_no_report', { xml: null }],
    [
      'old_report',
      'the report of an earlier run',
      'tests_no_report',
      { xml: null, before: (folder) => writeReport(folder, report(passed)) },
    ],
    [
      'report_outside',
      'a report in a folder that links out of the worktree',
      'tests_no_report',
      {
        xml: report(passed),
        before: (folder) => symlinkSync(workspace.sub('tests-outside'), join(folder, 'reports')),
      },
    ],
  ]
  return rows.map(([name, what, expected, suite]) => ({ name, what, expected, suite }))
}

function writeReport(folder: string, xml: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), xml)
}

/** Runs the tests gate over a suite whose program only writes its report. */
const suiteRun = (
  { workspace, signal }: { workspace: Workspace; signal: AbortSignal },
  name: string,
  { xml, exitCode = 0, skips = [], before }: Suite,
): Attempt =>
  attempting(async () => {
    const folder = workspace.sub('tests', name)
    before?.(folder)
    const context: StepContext = {
      signal,
      dir: folder,
      log: () => undefined,
      run: () => {
        if (xml !== null) writeReport(folder, xml)
        return Promise.resolve({
          exitCode,
          signal: null,
          timedOut: false,
          durationMs: 0,
          stdout: '',
          stderrTail: '',
        })
      },
    }
    const suite: TestSuite = {
      name: 'planted',
      argv: ['planted'],
      report: { format: 'junit', path },
      timeout_seconds: 10,
      allowed_skips: skips,
    }
    const { problem } = await runSuite(suite, { folder, context, today: '2026-06-15' })
    if (problem) throw problem
  })
