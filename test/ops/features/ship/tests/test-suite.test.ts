import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
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

  const says = (text: string, code: number): string =>
    `console.log(${JSON.stringify(text)}); console.log('bye'); process.exit(${code})`

  it('B9 quotes the first error of a command that ends before it writes a report', async () => {
    const problem = await problemFrom(() => run(says('src/a.ts(12,5): error TS2322: no', 2)))
    expectRefusal(problem, { ...failed, detail: 'ended with 2: src/a.ts(12,5): error TS2322: no' })
    expect(problem.evidence).toEqual(['src/a.ts(12,5): error TS2322: no', 'bye'])
    expectRefusal(await problemFrom(() => run('process.exit(7)')), {
      ...failed,
      detail: 'wrote no report and ended with 7 and printed nothing',
    })
    const killed = await problemFrom(() => run(`process.kill(process.pid, 'SIGKILL')`))
    expectRefusal(killed, { ...failed, detail: 'ended with SIGKILL' })
  })

  it('B9 quotes the first error of a preparation that fails', async () => {
    const prepare = [node, '-e', says('npm error code ENOTFOUND', 1)]
    expectRefusal(await problemFrom(() => run(writes(green), { prepare })), {
      error_class: 'tests_prepare_failed',
      fix: 'fix_test_setup',
      exit: 1,
      detail: 'ended with 1: npm error code ENOTFOUND',
    })
  })

  it('L6 installs programs into the tree of the tests, with pip in a virtual environment only', async () => {
    const tools = ['npm_config_prefix', 'GEM_HOME', 'GOBIN', 'CARGO_INSTALL_ROOT', 'UV_TOOL_DIR']
    const home = join(root, 'home')
    const code = `
      const { execFileSync } = require('child_process')
      execFileSync('git', ['config', '--global', 'core.hooksPath', '/theirs'])
      const outside = ${JSON.stringify(tools)}.filter((name) => !(process.env[name] ?? '').startsWith(process.cwd()))
      if (outside.length > 0 || process.env.PIP_REQUIRE_VIRTUALENV !== '1') throw new Error(outside.join())
      const bin = process.env.npm_config_prefix + '/bin'
      require('fs').mkdirSync(bin, { recursive: true })
      require('fs').writeFileSync(bin + '/brought', '#!/bin/sh', { mode: 0o755 })`
    const uses = `require('child_process').execFileSync('brought'); ${writes(green)}`
    mkdirSync(home)
    writeFileSync(join(home, '.gitconfig'), '[user]\n\tname = Operator\n')
    vi.stubEnv('HOME', home)
    const { problem } = await run(uses, { prepare: [node, '-e', code] })
    vi.unstubAllEnvs()
    expect(problem).toBeNull()
    expect(readFileSync(join(home, '.gitconfig'), 'utf8')).toBe('[user]\n\tname = Operator\n')
  })

  it.each([
    ['upload', 'refused'],
    ['v1.upload', 'refused'],
    ['parses v1.upload', 'allowed'],
    ['Api.parses v1.upload', 'allowed'],
    ['x.Api.parses v1.upload', 'allowed'],
    ['pi.parses v1.upload', 'refused'],
  ])('B10 a permission for %s of a test with a dot in its title is %s', async (test, expected) => {
    const xml =
      '<testsuites><testcase name="fine"/>' +
      '<testcase classname="x.Api" name="parses v1.upload"><skipped/></testcase></testsuites>'
    const { problem } = await run(writes(xml), {
      allowed_skips: [{ test, reason: 'later', expires: '2999-01-01' }],
    })
    expect(problem === null ? 'allowed' : 'refused').toBe(expected)
  })

  it('is refused when its program does not exist', async () => {
    const problem = await problemFrom(() => run('', { argv: ['no-such-program-4711'] }))
    expectRefusal(problem, { ...failed, detail: 'no-such-program-4711' })
  })
})

describe('the report of a suite', () => {
  const todo = '<testsuites><testcase name="a" time="0" classname="test"/>'
    .concat('<testcase name="b" time="0" classname="test"><skipped type="todo" message="true"/>')
    .concat('<failure message="x"/></testcase></testsuites>')
  const goSuite = (cases: string): string =>
    '<testsuites tests="2" failures="1" errors="0" time="0"><testsuite tests="2" failures="1" ' +
    `time="0" name="p" timestamp="2026-01-01T00:00:00">${cases}</testsuite></testsuites>`
  const flaky = goSuite('<testcase name="A"><failure/></testcase><testcase name="A"/>')
  const skipped = { error_class: 'tests_skipped', fix: 'unskip_tests', exit: 2 } as const

  it('B4 lets a test that is to do pass with a permission only', async () => {
    const refused = await run(writes(todo))
    expectRefusal(refused.problem, { ...skipped, detail: 'first b: to do' })
    const allowed = { test: 'b', reason: 'later', expires: '2026-06-15' }
    expect(await run(writes(todo), { allowed_skips: [allowed] })).toMatchObject({
      report: { passed: 1, failed: 0, todo: 1 },
      problem: null,
    })
  })

  it('B4 lets a test pass that passed when it ran again, if the command says so too', async () => {
    expect(await run(writes(flaky))).toMatchObject({
      report: { passed: 1, failed: 0, flaky: 1 },
      problem: null,
    })
    const { problem } = await run(`${writes(flaky)}; process.exit(1)`)
    expectRefusal(problem, { ...failed, detail: 'ended with 1' })
  })

  it('B4 is read in full when it is larger than 8 MiB, and kept without its output', async () => {
    const code =
      "const out = 'x'.repeat(1024); const fd = require('fs').openSync('report.xml', 'w');" +
      "const write = (text) => require('fs').writeSync(fd, text);" +
      'write(\'<testsuites><testcase name="fine"><system-out>\');' +
      'for (let at = 0; at < 12 * 1024; at += 1) write(out);' +
      "write('</system-out></testcase></testsuites>')"
    const { report, copy, problem } = await run(code)
    expect([report.passed, problem]).toEqual([1, null])
    expect(copy).toContain('<testcase name="fine"/>')
    expect(copy.length).toBeLessThan(1000)
  })

  it('B4 is kept in UTF-8, whatever it was written in', async () => {
    const xml =
      '<?xml version="1.0" encoding="UTF-16"?><testsuites><testcase name="ä"/></testsuites>'
    const code = `require('fs').writeFileSync('report.xml', Buffer.from(${JSON.stringify(xml)}, 'utf16le'))`
    const { copy, problem } = await run(code)
    expect([copy, problem]).toEqual([xml.replace('UTF-16', 'UTF-8'), null])
  })

  it('G9 is refused with file and line when it contradicts itself', async () => {
    const xml =
      '<testsuites>\n<testsuite tests="10" failures="1,000"><testcase name="a"/></testsuite></testsuites>'
    const problem = await problemFrom(() => run(writes(xml)))
    expectRefusal(problem, { ...noReport, detail: 'report.xml:2 holds failures="1,000", no count' })
  })

  it('G9 does not let a file pass that ended before it reported its tests', async () => {
    const file = '<testcase name="t/a.test.mjs" time="0" classname="test"/>'
    const fine = '<testcase name="a" time="0" classname="test"/>'
    const { problem } = await run(writes(`<testsuites>${fine}${file}</testsuites>`))
    expectRefusal(problem, { ...skipped, detail: 't/a.test.mjs: the file ended without reporting' })
  })
})
