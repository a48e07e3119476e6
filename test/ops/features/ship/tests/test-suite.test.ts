import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'
import { runSuite, type TestSuite } from '#ops/features/ship/index'
import { expectRefusal, problemFrom, stepContext } from '../../../../support/step-context.ts'

let root: string
let folder: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'test-suite-')))
  folder = join(root, 'worktree')
  mkdirSync(folder)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const node = nodeProgram()
const run = (code: string, change: Partial<TestSuite> = {}) =>
  runSuite(
    {
      name: 'extra',
      argv: [node, '-e', code],
      report: { format: 'junit', path: 'report.xml' },
      timeout_seconds: 60,
      allowed_skips: [],
      ...change,
    },
    { folder, context: stepContext(root), today: '2026-06-15' },
  )
const writes = (xml: string): string =>
  `require('fs').writeFileSync('report.xml', ${JSON.stringify(xml)})`
const green = '<testsuites><testcase name="fine"/></testsuites>'
const noReport = { error_class: 'tests_no_report', fix: 'fix_test_report', exit: 1 } as const
const failed = { error_class: 'tests_failed', fix: 'fix_and_ship', exit: 1 } as const

/** One case of each class goes through the whole command line in ship-stops-before-review.test.ts. */
describe('a suite of the tests gate', () => {
  it('passes with a green report and exit code 0', async () => {
    expect(await run(writes(green))).toMatchObject({ report: { passed: 1 }, problem: null })
  })

  it('is refused when its report is a link out of the worktree', async () => {
    const outside = join(root, 'outside.xml')
    writeFileSync(outside, green)
    const link = `require('fs').symlinkSync(${JSON.stringify(outside)}, 'report.xml')`
    expectRefusal(await problemFrom(() => run(link)), { ...noReport, detail: 'extra' })
  })

  it.each([
    ['<testsuites tests="0"></testsuites>', 'lists no test'],
    ['<testsuites><testcase', 'not well-formed'],
  ])('is refused when its report is %s', async (xml, detail) => {
    expectRefusal(await problemFrom(() => run(writes(xml))), { ...noReport, detail })
  })

  it('is refused when its report lies behind a link, which is neither removed nor read', async () => {
    mkdirSync(join(root, 'folder'))
    writeFileSync(join(root, 'folder', 'report.xml'), 'precious')
    const link = `require('fs').symlinkSync(${JSON.stringify(join(root, 'folder'))}, 'out')`
    const problem = await problemFrom(() =>
      run('0', {
        prepare: [node, '-e', link],
        report: { format: 'junit', path: 'out/report.xml' },
      }),
    )
    expectRefusal(problem, { ...noReport, detail: 'outside the worktree' })
    expect(readFileSync(join(root, 'folder', 'report.xml'), 'utf8')).toBe('precious')
  })

  it('is refused when its command fails although the report is green', async () => {
    const { problem } = await run(`${writes(green)}; process.exit(3)`)
    expectRefusal(problem, { ...failed, detail: 'ended with 3' })
  })

  it('is refused when its program does not exist', async () => {
    const problem = await problemFrom(() => run('', { argv: ['no-such-program-4711'] }))
    expectRefusal(problem, { ...failed, detail: 'no-such-program-4711' })
  })
})
