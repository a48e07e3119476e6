import { describe, expect, it } from 'vitest'
import { readJunit } from '#ops/features/ship/tests/junit-report'

const read = (xml: string) => readJunit(xml, 'report.xml')
const counts = (xml: string) => {
  const { passed, failed, skipped } = read(xml)
  return { passed, failed, skipped }
}

describe('a JUnit report', () => {
  it('counts case by case, in nested suites, as node and pytest write them', () => {
    const { cases } = read(`<?xml version="1.0"?><testsuites><testcase name="top" classname="test"/>
      <testsuite name="a" tests="3" failures="1" skipped="1">
      <testcase name="bad" classname="m.C"><failure message="1 &lt; 2&#10;more">x</failure></testcase>
      <testcase name="later"><skipped type="todo" message="soon"/></testcase></testsuite></testsuites>`)
    expect(cases).toEqual([
      { name: 'top', outcome: 'passed', message: '' },
      { name: 'm.C.bad', outcome: 'failed', message: '1 < 2' },
      { name: 'later', outcome: 'skipped', message: 'soon' },
    ])
  })

  it('counts more failures or skips when a suite declares more than its cases show', () => {
    expect(
      counts('<testsuite tests="1" failures="0" errors="1"><testcase name="a"/></testsuite>'),
    ).toEqual({ passed: 1, failed: 1, skipped: 0 })
    expect(
      counts('<testsuites><testsuite skipped="2"><testcase name="a"/></testsuite></testsuites>'),
    ).toEqual({ passed: 1, failed: 0, skipped: 2 })
    expect(
      counts(
        '<testsuites failures="1"><testsuite failures="1"><testcase ' +
          'name="a"><failure/></testcase></testsuite></testsuites>',
      ),
    ).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('counts skipped and failed tests, even where only an attribute says so', () => {
    expect(
      counts(
        '<testsuites tests="3" failures="0" disabled="1"><testsuite name="s" tests="3" ' +
          'failures="0" disabled="1" skipped="0"><testcase name="a" status="run" ' +
          'result="completed"/><testcase name="b" status="notrun" result="suppressed"/><testcase ' +
          'name="c" status="failed"/></testsuite></testsuites>',
      ),
    ).toEqual({ passed: 1, failed: 1, skipped: 1 })
    expect(counts('<testsuite disabled="2"><testcase name="a"/></testsuite>')).toEqual({
      passed: 1,
      failed: 0,
      skipped: 2,
    })
  })

  it.each([
    '',
    'ok',
    '<html/>',
    '<testsuites></testsuites>',
    '<testsuite tests="5"/>',
    '<testsuite><testcase name="a"><skipped/></testcase></testsuite>',
    '<testsuite><testcase name="a"/>',
    '<!DOCTYPE x [<!ENTITY a "b">]><testsuite><testcase name="&a;"/></testsuite>',
  ])('proves nothing as %j', (xml) =>
    expect(() => read(xml)).toThrow(expect.objectContaining({ errorClass: 'tests_no_report' })),
  )
})
