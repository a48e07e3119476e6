import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { withWorktree } from '#ops/platform/git/linked-worktree'
import { writeWhole } from '#ops/base/files/json-file'
import type { Step, StepContext } from '#ops/core/pipeline/pipeline'
import { redact } from '#ops/base/redact/redaction'
import type { EarlierShip } from '#ops/features/ship/state/resolve-earlier-ship'
import { frozenOf, type Ship } from '#ops/features/ship/state/ship-state'
import { isSelftest, runSuite, worst } from './test-suite.ts'

const reportName = (suite: string): string => `tests-${suite}.xml`

/** The tests of a ship that was pushed already: its reports are taken over, not run again. */
function takeOver(ship: Ship, { dir }: EarlierShip, result: ShipResult): { detail: string } {
  ship.tests = result.tests
  for (const { name } of result.tests) {
    copyFileSync(join(dir, reportName(name)), join(ship.dir, reportName(name)))
    ship.artifacts[`tests_${name}`] = reportName(name)
  }
  if (result.tests.length === 0)
    throw new Problem(
      'tests_no_report',
      `The ship ${result.run_id} recorded no tests, so it cannot be settled.`,
    )
  return { detail: `passed in ${result.run_id} for this commit` }
}

async function runAll(ship: Ship, context: StepContext): Promise<{ detail: string }> {
  const { head, gates } = frozenOf(ship)
  const problems: Problem[] = []
  for (const suite of gates.suites) {
    // A worktree each: no suite sees what another one left.
    await withWorktree(
      { repo: ship.repo, commit: head, maker: ship.runId },
      async (folder) => {
        context.log(`${suite.name}: ${suite.argv.join(' ')}`)
        const { report, xml, problem } = await runSuite(
          suite,
          folder,
          context,
          new Date().toISOString().slice(0, 10),
        )
        const { passed, failed, skipped } = report
        ship.tests = [
          ...ship.tests,
          { name: suite.name, total: passed + failed + skipped, passed, failed, skipped },
        ]
        writeWhole(join(ship.dir, reportName(suite.name)), redact.text(xml.toString('utf8')))
        ship.artifacts[`tests_${suite.name}`] = reportName(suite.name)
        context.log(`${suite.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`)
        if (problem) problems.push(problem)
      },
      { signal: context.signal },
    )
  }
  const problem = worst(problems)
  if (problem) throw problem
  const total = ship.tests.reduce((sum, each) => sum + each.passed, 0)
  // Said, not refused: a project of before the self-test goes on being shipped, and its operator sees what it lacks.
  const untried = gates.suites.some(isSelftest)
    ? ''
    : '; no suite is `hq selftest`, so the guards of HQ were not tried'
  return {
    detail: `${total} tests passed in ${ship.tests.length} ${ship.tests.length === 1 ? 'suite' : 'suites'}${untried}`,
  }
}

/** Runs every suite of the gate settings in a clean worktree of the frozen commit; counts and skips come from the reports. */
export const testsStep = (ship: Ship): Step<object> => ({
  name: 'tests',
  timeLimitSeconds: 6 * 3600,
  run: async (_facts, context) => {
    const { earlier } = frozenOf(ship)
    return earlier?.result ? takeOver(ship, earlier, earlier.result) : runAll(ship, context)
  },
})
