import { describe, expect, it } from 'vitest'
import { countsOf, readReport } from '../../../../../support/junit.ts'
import { problemFrom } from '../../../../../support/step-context.ts'

/** Short reports in the form of each tool: attributes and elements in the order in which it writes them. */
const at = 'timestamp="2026-01-01T00:00:00"'
const failure = '<failure message="broke" type="E">text</failure>'
const suites = (inside: string, attributes = ''): string =>
  `<testsuites${attributes}>${inside}</testsuites>`

const pytest = (
  { tests, skipped = 0, failures = 0 }: { tests: number; skipped?: number; failures?: number },
  cases: string,
): string =>
  suites(
    `<testsuite name="pytest" errors="0" failures="${failures}" skipped="${skipped}" tests="${tests}" ` +
      `time="0.1" ${at} hostname="h">${cases}</testsuite>`,
    ' name="pytest tests"',
  )
const py = (name: string, inside = ''): string =>
  `<testcase classname="test_m" name="${name}" time="0.0">${inside}</testcase>`

const jest = (
  { tests, skipped = 0 }: { tests: number; skipped?: number },
  cases: string,
  failures = 0,
): string =>
  suites(
    `<testsuite name="s" errors="0" failures="${failures}" skipped="${skipped}" ${at} time="1" ` +
      `tests="${tests}">${cases}</testsuite>`,
    ` name="jest tests" tests="${tests}" failures="${failures}" errors="0" time="1"`,
  )
const js = (name: string, time: string, inside = ''): string =>
  `<testcase classname=" ${name}" name=" ${name}" time="${time}">${inside}</testcase>`

const nodeCase = (name: string, inside = '', more = ''): string =>
  `<testcase name="${name}" time="0.001" classname="test"${more}>${inside}</testcase>`
const node = (cases: string, { fail = 0, cancelled = 0 } = {}): string =>
  suites(`${cases}<!-- tests 1 --><!-- fail ${fail} --><!-- cancelled ${cancelled} -->`)
const nodeSuite = (
  { tests, failures = 0, skipped = 0 }: { tests: number; failures?: number; skipped?: number },
  cases: string,
): string =>
  `<testsuite name="s" time="0.1" disabled="0" errors="0" tests="${tests}" failures="${failures}" ` +
  `skipped="${skipped}" hostname="h">${cases}</testsuite>`

const gotestsum = ({ tests, failures }: { tests: number; failures: number }, cases: string) =>
  suites(
    `<testsuite tests="${tests}" failures="${failures}" time="0.1" name="example.test/p" ${at}>` +
      `<properties></properties>${cases}</testsuite>`,
    ` tests="${tests}" failures="${failures}" errors="0" time="0.1"`,
  )
const go = (name: string, inside = ''): string =>
  `<testcase classname="example.test/p" name="${name}" time="0.0">${inside}</testcase>`

const surefire = (attributes: string, cases: string): string =>
  '<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
  'xsi:noNamespaceSchemaLocation="https://example.org/s.xsd" version="3.0.2" name="x.T" ' +
  `time="0.1" ${attributes}><properties/>${cases}</testsuite>`

const gradle = (tests: number, failures: number, cases: string): string =>
  `<testsuite name="x.T" tests="${tests}" skipped="0" failures="${failures}" errors="0" ${at} ` +
  `hostname="h" time="0.1"><properties/>${cases}<system-out><![CDATA[]]></system-out></testsuite>`
const java = (name: string, inside = ''): string =>
  `<testcase name="${name}" classname="x.T" time="0.0">${inside}</testcase>`

const unittest = (attributes: string, cases: string): string =>
  suites(
    `<testsuite name="m.T" tests="${attributes.split(' ')[0]}" file="m.py" time="0.1" ${at} ` +
      `${attributes.split(' ').slice(1).join(' ')}>${cases}</testsuite>`,
  )

type Row = readonly [what: string, xml: string, counts: Record<string, number>]

describe('B4 a report of pytest', () => {
  const xfail = '<skipped type="pytest.xfail" message="known bug"/>'
  it.each<Row>([
    [
      'an expected failure',
      pytest({ tests: 2, skipped: 1 }, py('a') + py('b', xfail)),
      { passed: 1, xfail: 1 },
    ],
    [
      'an expected failure that did not run',
      pytest({ tests: 2, skipped: 1 }, py('a') + py('b', xfail.replace('known', '[NOTRUN] known'))),
      { passed: 1, skipped: 1 },
    ],
    [
      'a strict one that passed',
      pytest({ tests: 1, failures: 1 }, py('a', '<failure message="[XPASS(strict)] x"/>')),
      { failed: 1 },
    ],
    [
      'a skip',
      pytest({ tests: 2, skipped: 1 }, py('a') + py('b', '<skipped type="pytest.skip"/>')),
      { passed: 1, skipped: 1 },
    ],
    ['a test that ran again', pytest({ tests: 1 }, py('a') + py('a')), { passed: 1, flaky: 1 }],
    ['subtests that passed', pytest({ tests: 5 }, py('a') + py('b')), { passed: 2 }],
    [
      'a failed subtest',
      pytest({ tests: 3, failures: 2 }, py('a', failure + failure)),
      { failed: 2 },
    ],
  ])('counts %s', async (_what, xml, counts) => expect(await countsOf(xml)).toEqual(counts))

  it('is refused when it counts fewer tests than it lists', async () => {
    const xml = pytest({ tests: 1 }, py('a') + py('b'))
    expect((await problemFrom(() => countsOf(xml))).errorClass).toBe('tests_no_report')
  })
})

describe('B4 a report of unittest', () => {
  it.each<Row>([
    [
      'an expected failure',
      unittest(
        '2 failures="0" errors="0" skipped="1"',
        py('a') + py('b', '<skipped type="XFAIL" message="e"/>'),
      ),
      { passed: 1, xfail: 1 },
    ],
    [
      'an unexpected success',
      unittest('1 failures="0" errors="1"', py('a', '<error type="UnexpectedSuccess"/>')),
      { failed: 1 },
    ],
    [
      'those of nose2, which reports both as skips',
      '<testsuite name="nose2-junit" errors="0" failures="0" skipped="2" tests="3" time="0.1">' +
        `${py('a')}${py('b', '<skipped message="expected test failure">x</skipped>')}` +
        `${py('c', '<skipped message="test passes unexpectedly"/>')}</testsuite>`,
      { passed: 1, xfail: 1, failed: 1 },
    ],
  ])('counts %s', async (_what, xml, counts) => expect(await countsOf(xml)).toEqual(counts))
})

describe('B4 a report of node:test', () => {
  const todo = '<skipped type="todo" message="later"/>'
  it.each<Row>([
    ['a test to do', node(nodeCase('a') + nodeCase('b', todo)), { passed: 1, todo: 1 }],
    [
      'a failing test to do, also in a suite',
      node(
        nodeCase('a') +
          nodeSuite(
            { tests: 1, failures: 1, skipped: 1 },
            nodeCase('b', `${todo}${failure}`, ' failure="broke"'),
          ),
      ),
      { passed: 1, todo: 1 },
    ],
    [
      'a suite in a suite, which its parent counts as one',
      node(
        nodeSuite(
          { tests: 2 },
          nodeCase('a') + nodeSuite({ tests: 2 }, nodeCase('b') + nodeCase('c')),
        ),
      ),
      { passed: 3 },
    ],
    [
      'a cancelled test',
      node(nodeCase('a', '<failure type="cancelledByParent" message="x"/>'), { cancelled: 1 }),
      { failed: 1 },
    ],
    [
      'a failure that no case shows',
      node(nodeSuite({ tests: 1 }, nodeCase('a')), { fail: 1 }),
      { passed: 1, failed: 1 },
    ],
    [
      'a test that is named as a file in a suite',
      node(nodeSuite({ tests: 1 }, nodeCase('a.js'))),
      { passed: 1 },
    ],
  ])('counts %s', async (_what, xml, counts) => expect(await countsOf(xml)).toEqual(counts))

  it.each(['nt/a.test.mjs', 'b.cjs', 'test/c.ts'])(
    'G9 does not count the file %s as a test that passed',
    async (file) => {
      const { passed, skips } = await readReport(node(nodeCase('a') + nodeCase(file)))
      const message = 'the file ended without reporting a test'
      expect([passed, skips]).toMatchObject([1, [{ name: file, outcome: 'skipped', message }]])
      const { message: refusal } = await problemFrom(() => readReport(node(nodeCase(file))))
      expect(refusal).toContain(`lists only skipped tests (first ${file}: ${message})`)
    },
  )
})

describe('B4 a report of vitest, jest or mocha', () => {
  it.each<Row>([
    [
      'vitest, an error outside the tests',
      suites(
        `<testsuite name="a.test.ts" ${at} hostname="h" tests="1" failures="0" errors="0" skipped="0" time="1">` +
          `${py('a')}</testsuite><testsuite name="vitest unhandled errors" ${at} hostname="h" tests="1" ` +
          `failures="0" errors="1" skipped="0" time="0">${py('b', '<error message="x"/>')}</testsuite>`,
        ' name="vitest tests" tests="2" failures="0" errors="1" time="1"',
      ),
      { passed: 1, failed: 1 },
    ],
    [
      'jest',
      jest({ tests: 2, skipped: 1 }, js('a', '0.1') + js('b', '0', '<skipped/>')),
      { passed: 1, skipped: 1 },
    ],
    [
      'jest, a test to do',
      jest({ tests: 1 }, js('a', '0.1') + js('b', '0')),
      { passed: 1, todo: 1 },
    ],
    [
      'jest, a test to do that looks like others',
      jest({ tests: 2 }, js('a', '0') + js('b', '0') + js('c', '0.1')),
      { passed: 2, todo: 1 },
    ],
    [
      'jest, a failed hook that no count has',
      jest({ tests: 1 }, js('a', '0') + js('hook', '0', '<failure>x</failure>')),
      { passed: 1, failed: 1 },
    ],
    [
      'mocha-junit-reporter',
      suites(
        `<testsuite name="Root Suite" ${at} tests="0" time="0" failures="0"></testsuite>` +
          `<testsuite name="s" ${at} tests="2" file="s.js" time="0" failures="0" skipped="1">` +
          `${nodeCase('a.js')}${nodeCase('b', '<skipped/>')}</testsuite>`,
        ' name="Mocha Tests" time="0.1" tests="2" failures="0" skipped="1"',
      ),
      { passed: 1, skipped: 1 },
    ],
    [
      'mocha xunit',
      `<testsuite name="Mocha Tests" tests="2" failures="0" errors="0" skipped="1" ${at} time="0.1">` +
        `${py('a')}${py('b', '<skipped/>')}</testsuite>`,
      { passed: 1, skipped: 1 },
    ],
  ])('is counted: %s', async (_what, xml, counts) => expect(await countsOf(xml)).toEqual(counts))

  it('names a test to do of jest when only one case can be it', async () => {
    const only = jest({ tests: 1 }, js('a', '0.1') + js('b', '0'))
    const either = jest({ tests: 2 }, js('a', '0') + js('b', '0') + js('c', '0.1'))
    expect((await readReport(only)).skips).toMatchObject([
      { name: ' b. b', outcome: 'todo', message: 'to do' },
    ])
    expect((await readReport(either)).skips).toEqual([])
  })
})

describe('B4 a report of Go, Java or Rust', () => {
  it.each<Row>([
    [
      'gotestsum, a test that passed when it ran again',
      gotestsum({ tests: 3, failures: 1 }, go('A', failure) + go('B') + go('A')),
      { passed: 2, flaky: 1 },
    ],
    [
      'gotestsum, one that failed, failed and passed',
      gotestsum({ tests: 3, failures: 2 }, go('A', failure) + go('A', failure) + go('A')),
      { passed: 1, flaky: 1 },
    ],
    [
      'gotestsum, one that failed each time',
      gotestsum({ tests: 3, failures: 2 }, go('A', failure) + go('A', failure) + go('B')),
      { passed: 1, failed: 1 },
    ],
    [
      'go-junit-report',
      suites(
        '<testsuite name="example.test/p" tests="2" failures="0" errors="0" id="0" hostname="h" ' +
          `skipped="1" time="0.1" ${at}>${go('A')}${go('B', '<skipped message="S"/>')}</testsuite>`,
        ' tests="2" skipped="1"',
      ),
      { passed: 1, skipped: 1 },
    ],
    [
      'Surefire, a test that passed when it ran again',
      surefire(
        'tests="1" errors="0" skipped="0" failures="0"',
        java('a') +
          java('b', '<flakyFailure message="x"><stackTrace>y</stackTrace></flakyFailure>'),
      ),
      { passed: 2, flaky: 1 },
    ],
    [
      'Surefire, a test that failed each time',
      surefire(
        'tests="1" errors="0" skipped="0" failures="1"',
        java('a', `${failure}<rerunFailure message="x"><stackTrace>y</stackTrace></rerunFailure>`),
      ),
      { failed: 1 },
    ],
    [
      'Gradle, a test that passed when it ran again',
      gradle(3, 1, java('a()', failure) + java('a()') + java('b()')),
      { passed: 2, flaky: 1 },
    ],
    [
      'cargo-nextest, a test that passed when it ran again',
      suites(
        `<testsuite name="c" tests="2" disabled="0" errors="0" failures="0">${java('a')}` +
          `${java('b', '<flakyFailure type="test failure">x</flakyFailure>')}</testsuite>`,
        ` name="nextest-run" tests="2" failures="0" errors="0" uuid="u" ${at} time="0.1"`,
      ),
      { passed: 2, flaky: 1 },
    ],
    [
      'an unknown tool that lists one name twice: a failure stays one',
      `<testsuite name="s" tests="2" failures="1">${java('a', failure)}${java('a')}</testsuite>`,
      { passed: 1, failed: 1 },
    ],
    [
      'Surefire, a test that failed beside one that is flaky',
      surefire(
        'tests="2" errors="0" skipped="0" failures="1"',
        java('a', failure) + java('b', '<flakyError message="x"/>'),
      ),
      { passed: 1, failed: 1, flaky: 1 },
    ],
  ])('is counted: %s', async (_what, xml, counts) => expect(await countsOf(xml)).toEqual(counts))
})

describe('B4 a report of Playwright, Robot or behave', () => {
  it.each<Row>([
    [
      'Playwright',
      suites(
        `<testsuite name="a.spec.ts" ${at} hostname="h" tests="2" failures="0" skipped="1" time="1" errors="0">` +
          java('a', '<system-out><![CDATA[[[ATTACHMENT|a.png]]]]></system-out>') +
          `${java('b', '<skipped></skipped>')}</testsuite>`,
        ' id="" name="" tests="2" failures="0" skipped="1" errors="0" time="1"',
      ),
      { passed: 1, skipped: 1 },
    ],
    [
      'Robot, a suite in a suite',
      '<testsuite name="R" tests="2" errors="0" failures="0" skipped="1" time="0.1">' +
        '<testsuite name="R.S" tests="2" errors="0" failures="0" skipped="1" time="0.1">' +
        `${java('a')}${java('b', '<skipped message="no gpu" type="SkipExecution"/>')}` +
        '</testsuite></testsuite>',
      { passed: 1, skipped: 1 },
    ],
    [
      'behave, with a step that nobody wrote',
      `<testsuite name="a" tests="3" errors="1" failures="0" skipped="1" time="0.1" ${at} hostname="h">` +
        '<testcase classname="a" name="x" status="passed" time="0"/>' +
        '<testcase classname="a" name="y" status="undefined" time="0"><error message="None"/></testcase>' +
        '<testcase classname="a" name="z" status="skipped" time="0"><skipped/></testcase></testsuite>',
      { passed: 1, failed: 1, skipped: 1 },
    ],
    [
      'behave, which leaves skipped scenarios out',
      `<testsuite name="a" tests="2" errors="0" failures="0" skipped="1" time="0.1" ${at} hostname="h">` +
        '<testcase classname="a" name="x" status="passed" time="0"/></testsuite>',
      { passed: 1, skipped: 1 },
    ],
  ])('is counted: %s', async (_what, xml, counts) => expect(await countsOf(xml)).toEqual(counts))
})
