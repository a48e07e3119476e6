// Runs every suite of the gate settings in a clean tree; counts and skips come from the reports.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { plural } from '#shared/plural'
import { testCountsText } from '#shared/test-counts'
import type { ShipStep } from '#shared/steps'
import { fillPointers } from '#ops/platform/git/lfs'
import { withSeparateTree } from '#ops/platform/git/separate-tree'
import { writeWhole } from '#ops/base/files/json-file'
import type { Step, FactContext } from '#ops/core/pipeline/pipeline'
import { redact } from '#ops/base/redact/redaction'
import type { TestSuite } from '#ops/features/ship/state/gate-settings'
import { frozenOf, type ShipFacts } from '#ops/features/ship/state/ship-facts'
import { totalOf, type TestReport } from './junit/index.ts'
import { isSelftest, runSuite, worst, type SuiteRun } from './test-suite.ts'

type Context = FactContext<ShipFacts>
type Found = Pick<ShipFacts, 'tests' | 'artifacts'>

export const testsStep: Step<ShipFacts, ShipStep> = {
  name: 'tests',
  timeLimitSeconds: 6 * 3600,
  run: async (facts, context) => {
    const { earlier } = frozenOf(facts)
    return earlier?.result
      ? adoptTests(facts, earlier.dir, earlier.result)
      : runSuites(facts, context)
  },
}

/** The file of the proof that holds the report of a suite. */
export const reportName = (suite: string): string => `tests-${suite}.xml`

/** The tests of a ship that was pushed already: its reports are copied, not run again. */
function adoptTests(
  facts: ShipFacts,
  from: string,
  { tests, run_id }: ShipResult,
): { facts: Found; detail: string } {
  if (tests.length === 0)
    throw new Problem(
      'tests_no_report',
      `The ship ${run_id} recorded no tests, so it cannot be confirmed.`,
    )
  let found: Found = { tests, artifacts: facts.artifacts }
  for (const { name } of tests) {
    copyFileSync(join(from, reportName(name)), join(facts.dir, reportName(name)))
    found = withReport(found, name)
  }
  return { facts: found, detail: `passed in ${run_id} for this commit` }
}

async function runSuites(
  facts: ShipFacts,
  context: Context,
): Promise<{ facts: Found; detail: string }> {
  const { suites } = frozenOf(facts).gates
  const problems: Problem[] = []
  let found: Found = { tests: facts.tests, artifacts: facts.artifacts }
  for (const suite of suites) {
    const { report, copy, problem } = await runInTree(suite, facts, context)
    writeWhole(join(facts.dir, reportName(suite.name)), redact.text(copy))
    const counts = countsOf(suite.name, report)
    const tests = [...found.tests, counts]
    found = withReport({ ...found, tests }, suite.name)
    context.note(found)
    context.log(`${suite.name}: ${testCountsText(counts)}`)
    if (problem) problems.push(problem)
  }
  const problem = worst(problems)
  if (problem) throw problem
  return { facts: found, detail: describe(found.tests, suites) }
}

/** A tree for each suite: no suite sees what another one left. */
const runInTree = (suite: TestSuite, facts: ShipFacts, context: Context): Promise<SuiteRun> =>
  withSeparateTree(
    { repo: facts.repo, commit: frozenOf(facts).head },
    async (folder) => {
      const commit = frozenOf(facts).head
      const where = { commit, folder, untouched: 'Nothing was pushed.' }
      const filled = await fillPointers(facts.repo, where, { signal: context.signal })
      if (filled > 0)
        context.log(`the content of ${plural(filled, 'file')} in Git LFS is in the tree`)
      context.log(`${suite.name}: ${suite.argv.join(' ')}`)
      return runSuite(suite, { folder, context, today: new Date().toISOString().slice(0, 10) })
    },
    { signal: context.signal },
  )

const withReport = ({ tests, artifacts }: Found, suite: string): Found => ({
  tests,
  artifacts: { ...artifacts, [`tests_${suite}`]: reportName(suite) },
})

/** Counts that only some tools know are left out when they are 0. */
function countsOf(name: string, report: TestReport): ShipResult['tests'][number] {
  const { passed, failed, skipped, flaky, xfail, todo } = report
  return {
    name,
    total: totalOf(report),
    passed,
    failed,
    skipped,
    ...(flaky > 0 ? { flaky } : {}),
    ...(xfail > 0 ? { expected_failures: xfail } : {}),
    ...(todo > 0 ? { todo } : {}),
  }
}

function describe(all: ShipResult['tests'], suites: readonly TestSuite[]): string {
  const selftests = new Set(suites.filter(isSelftest).map(({ name }) => name))
  const tests = all.filter(({ name }) => !selftests.has(name))
  const sum = (of: ShipResult['tests']): number => of.reduce((n, each) => n + each.passed, 0)
  const [passed, tried] = [sum(tests), sum(all) - sum(tests)]
  const flaky = tests.reduce((n, each) => n + (each.flaky ?? 0), 0)
  const shaky = flaky === 0 ? '' : `, ${flaky} of them only when run again`
  // Reported, not refused: a project older than the self-test can be shipped, and its operator sees what it lacks.
  const untried = suites.some(isSelftest)
    ? `; ${plural(tried, 'test')} of the guards of HQ passed`
    : '; no suite runs `hq selftest`, so the guards of HQ were not tested'
  return `${passed} tests passed in ${plural(tests.length, 'suite')}${shaky}${untried}`
}
