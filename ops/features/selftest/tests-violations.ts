import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { runSuite } from '#ops/features/ship/index'
import type { TestSuite } from '#ops/features/ship/index'
import { attempt, once, type Group, type Plant } from './violation.ts'

const path = 'reports/junit.xml'
const report = (cases: string): string =>
  `<testsuites><testsuite name="planted">${cases}</testsuite></testsuites>`
const passed = '<testcase classname="app" name="adds"/>'
const skipped = `${passed}<testcase classname="app" name="left out"><skipped message="planted"/></testcase>`
const allowed = (expires: string): TestSuite['allowed_skips'] => [
  { test: 'left out', reason: 'planted', expires },
]

interface Suite {
  /** What the tests write; null writes nothing. */ readonly xml: string | null
  readonly exitCode?: number
  readonly skips?: TestSuite['allowed_skips']
  /** What lies there before they run. */ readonly before?: (folder: string) => void
}

/** What a test run may leave behind to count as passed. */
export const testsPlants: Group = {
  name: 'tests',
  guard: 'The tests gate of a ship',
  make: (place, signal) => {
    const suiteOf = (name: string, { xml, exitCode = 0, skips = [], before }: Suite) =>
      attempt(async () => {
        const folder = place.sub('tests', name)
        before?.(folder)
        const context: StepContext = {
          signal,
          dir: folder,
          log: () => undefined,
          run: () => {
            if (xml !== null) {
              mkdirSync(dirname(join(folder, path)), { recursive: true })
              writeFileSync(join(folder, path), xml)
            }
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
        const { problem } = await runSuite(
          {
            name: 'planted',
            argv: ['planted'],
            report: { format: 'junit', path },
            timeout_seconds: 10,
            allowed_skips: skips,
          },
          folder,
          context,
          '2026-06-15',
        )
        if (problem) throw problem
      })
    const clean = once(suiteOf('clean', { xml: report(passed) }))
    const refused = (
      name: string,
      planted: string,
      expected: string,
      suite: Suite,
      control = clean,
    ): Plant => ({ name, planted, expected, control, plant: suiteOf(name, suite) })
    const write = (folder: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), report(passed))
    }
    return Promise.resolve({
      plants: [
        refused('skipped', 'a skipped test', 'tests_skipped', { xml: report(skipped) }),
        refused(
          'skip_expired',
          'a skipped test whose permission has run out',
          'tests_skipped',
          { xml: report(skipped), skips: allowed('2026-06-14') },
          once(suiteOf('skip_allowed', { xml: report(skipped), skips: allowed('2026-06-15') })),
        ),
        refused('only_skipped', 'a report of nothing but skipped tests', 'tests_no_report', {
          xml: report('<testcase name="left out"><skipped/></testcase>'),
        }),
        refused('failed', 'a failed test', 'tests_failed', {
          xml: report(
            `${passed}<testcase name="subtracts"><failure message="planted"/></testcase>`,
          ),
        }),
        refused('exit_code', 'tests that end with an error and report none', 'tests_failed', {
          xml: report(passed),
          exitCode: 1,
        }),
        refused('no_test', 'a report without a test', 'tests_no_report', { xml: report('') }),
        refused('no_report', 'tests without a report', 'tests_no_report', { xml: null }),
        refused('old_report', 'the report of an earlier run', 'tests_no_report', {
          xml: null,
          before: write,
        }),
        refused(
          'report_outside',
          'a report in a folder that leads out of the worktree',
          'tests_no_report',
          {
            xml: report(passed),
            before: (folder) => symlinkSync(place.sub('tests-outside'), join(folder, 'reports')),
          },
        ),
      ],
    })
  },
}
