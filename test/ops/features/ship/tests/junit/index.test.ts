import { describe, expect, it } from 'vitest'
import { readJunit } from '#ops/features/ship/tests/junit/index'
import { countsOf, readReport } from '../../../../../support/junit.ts'
import { problemFrom } from '../../../../../support/step-context.ts'

const counts = async (xml: string) => {
  const { passed, failed, skipped } = await readReport(xml)
  return { passed, failed, skipped }
}
const refusalOf = async (xml: string | Uint8Array) => {
  const { errorClass, message } = await problemFrom(() => readReport(xml))
  return { errorClass, message }
}
/** Class and sentence of a report that is refused. */
const refused = (part: string) => ({
  errorClass: 'tests_no_report',
  message: expect.stringContaining(part) as unknown,
})
const one = (attributes: string, inside = ''): string =>
  `<testsuite name="s"><testcase name="good"/><testcase name="t" ${attributes}>${inside}</testcase></testsuite>`

describe('a JUnit report', () => {
  it('counts case by case, in nested suites, as node and pytest write them', async () => {
    const { cases } =
      await readReport(`<?xml version="1.0"?><testsuites><testcase name="top" classname="test"/>
      <testsuite name="a" tests="3" failures="1" skipped="1">
      <testcase name="bad" classname="m.C"><failure message="1 &lt; 2&#10;more">x</failure></testcase>
      <testcase name="later"><skipped type="todo" message="soon"/></testcase></testsuite></testsuites>`)
    expect(cases).toEqual([
      { name: 'top', title: 'top', outcome: 'passed', message: '' },
      { name: 'm.C.bad', title: 'bad', outcome: 'failed', message: '1 < 2' },
      { name: 'later', title: 'later', outcome: 'skipped', message: 'soon' },
    ])
  })

  it('counts more failures or skips when a suite declares more than its cases show', async () => {
    expect(
      await counts('<testsuite tests="1" failures="0" errors="1"><testcase name="a"/></testsuite>'),
    ).toEqual({ passed: 1, failed: 1, skipped: 0 })
    expect(
      await counts(
        '<testsuites><testsuite skipped="2"><testcase name="a"/></testsuite></testsuites>',
      ),
    ).toEqual({ passed: 1, failed: 0, skipped: 2 })
    expect(
      await counts(
        '<testsuites failures="1"><testsuite failures="1"><testcase ' +
          'name="a"><failure/></testcase></testsuite></testsuites>',
      ),
    ).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('counts skipped and failed tests, even where only an attribute says so', async () => {
    expect(
      await counts(
        '<testsuites tests="3" failures="0" disabled="1"><testsuite name="s" tests="3" ' +
          'failures="0" disabled="1" skipped="0"><testcase name="a" status="run" ' +
          'result="completed"/><testcase name="b" status="notrun" result="suppressed"/><testcase ' +
          'name="c" status="failed"/></testsuite></testsuites>',
      ),
    ).toEqual({ passed: 1, failed: 1, skipped: 1 })
    expect(await counts('<testsuite disabled="2"><testcase name="a"/></testsuite>')).toEqual({
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
  ])('proves nothing as %j', async (xml) => {
    expect((await refusalOf(xml)).errorClass).toBe('tests_no_report')
  })
})

describe('G9 what is neither passed nor a skip does not pass', () => {
  it.each([
    ['status="failed"', '', 'failed'],
    ['result="errored"', '', 'failed'],
    ['status="timedout"', '', 'failed'],
    ['outcome="Timed Out"', '', 'failed'],
    ['status="flubbed"', '', 'failed'],
    ['success="False"', '', 'failed'],
    ['errors="1"', '', 'failed'],
    ['status="pending"', '', 'skipped'],
    ['status="Not-Run"', '', 'skipped'],
    ['result="inconclusive"', '', 'skipped'],
    ['executed="false"', '', 'skipped'],
    ['ignored="true"', '', 'skipped'],
    ['', '<Failure/>', 'failed'],
    ['', '<x:error xmlns:x="urn:x"/>', 'failed'],
    ['', '<timed-out/>', 'failed'],
    ['', '<ignored/>', 'skipped'],
    ['', '<pending/>', 'skipped'],
    ['', '<inconclusive>maybe</inconclusive>', 'skipped'],
    ['', '<testcase name="inner"><error/></testcase>', 'failed'],
    ['result="passed" status="run" time="0"', '<system-out>x</system-out>', 'passed'],
  ])('judges a case with %s %s as %s', async (attributes, inside, expected) => {
    const most = inside.startsWith('<testcase') ? { passed: 2 } : { passed: 1 }
    expect(await countsOf(one(attributes, inside))).toEqual(
      expected === 'passed' ? { passed: 2 } : { ...most, [expected]: 1 },
    )
  })

  it.each(['failures', 'errors', 'failed', 'Errors', 'timeouts'])(
    'counts a failure that a suite declares as %s only',
    async (name) => {
      const xml = `<testsuite ${name}="1"><testcase name="a"/></testsuite>`
      expect(await countsOf(xml)).toEqual({ passed: 1, failed: 1 })
    },
  )

  it.each(['skip', 'skips', 'ignored', 'pending', 'notrun', 'not-run', 'inconclusive', 'todo'])(
    'counts skips that a suite declares as %s only',
    async (name) => {
      const xml = `<testsuite tests="3" ${name}="2"><testcase name="a"/></testsuite>`
      expect(await countsOf(xml)).toEqual({ passed: 1, skipped: 2 })
    },
  )

  it.each([
    ['<error message="no db"/>', 'no db'],
    ['<failure>\n  no db\nmore</failure>', 'no db'],
    ['<timeout/>', ''],
  ])('counts %s of a suite as a failure of that suite', async (inside, message) => {
    const { failed, failures } = await readReport(
      `<testsuites><testsuite name="s"><testcase name="a"/>${inside}</testsuite></testsuites>`,
    )
    expect([failed, failures]).toMatchObject([
      1,
      [{ name: 's (suite)', outcome: 'failed', message }],
    ])
  })

  it('counts a suite whose attribute says that it failed', async () => {
    const xml = '<testsuite name="s" result="Failure"><testcase name="a"/></testsuite>'
    expect(await countsOf(xml)).toEqual({ passed: 1, failed: 1 })
  })
})

describe('G9 a report that contradicts itself proves nothing', () => {
  it.each([
    ['<testsuite name="s" tests="10"><testcase name="a"/></testsuite>', 'declares 10 tests in "s"'],
    ['<testsuite tests="1"><testcase name="a"/><testcase name="b"/></testsuite>', 'lists 2'],
    [
      '<testsuites tests="3"><testsuite tests="1"><testcase name="a"/></testsuite></testsuites>',
      'declares 3 tests',
    ],
    ['<testsuite tests="1" failures="1,000"><testcase name="a"/></testsuite>', 'failures="1,000"'],
    ['<testsuite skipped="-1"><testcase name="a"/></testsuite>', 'skipped="-1"'],
    ['<testsuite errors="0x1"><testcase name="a"/></testsuite>', 'errors="0x1"'],
  ])('refuses %s', async (xml, part) => {
    expect(await refusalOf(`<?xml version="1.0"?>\n${xml}`)).toEqual(refused(part))
    expect(await refusalOf(`<?xml version="1.0"?>\n${xml}`)).toEqual(refused('report.xml:2 '))
  })

  it.each([
    '<testsuites tests="2"><testsuite tests="1"><testcase name="a"/></testsuite><testcase name="b"/></testsuites>',
    '<testsuite tests="1"><testcase name="a"/><testsuite tests="1"><testcase name="b"/></testsuite></testsuite>',
    '<testsuite tests=""><testcase name="a"/><testcase name="b"/></testsuite>',
  ])('accepts counts that agree in one of the common ways: %s', async (xml) => {
    expect(await countsOf(xml)).toEqual({ passed: 2 })
  })

  it('calls a contradiction with a failure in it a failure', async () => {
    const xml = '<testsuite tests="9"><testcase name="a"><failure/></testcase></testsuite>'
    expect(await countsOf(xml)).toEqual({ failed: 1 })
  })
})

describe('G9 a report that cannot be understood names file and line', () => {
  it.each([
    ['an unknown element in a case', one('', '\n<strange/>'), 'report.xml:2 has an element "str'],
    ['__proto__ in a case', one('', '<__proto__/>'), 'report.xml:1 has an element "__proto__"'],
    ['a suite in a case', one('', '<testsuite/>'), 'has an element "testsuite"'],
    ['a failure in output', one('', '<system-out><failure/></system-out>'), '"failure"'],
    ['another document', '\n<test-run><test-case result="Passed"/></test-run>', ':2 has no test'],
    ['a doubled attribute', one('status="passed" status="failed"'), 'status stands twice'],
    ['attributes that differ in case', one('status="passed" Status="failed"'), 'stands twice'],
    ['an entity of HTML', one('status="&nbsp;"'), 'not well-formed'],
    ['an entity named as a method', one('', '<system-out>&constructor;</system-out>'), 'not well'],
    ['a doctype behind the root', `${one('')}<!DOCTYPE x>`, 'not well-formed'],
    ['a second root', `${one('')}<testsuite/>`, 'a second root element'],
    ['text behind the root', `${one('')}\nend`, 'report.xml:2 is not well-formed'],
    ['a report that breaks off', one('').slice(0, -5), 'not well-formed'],
  ])('refuses %s', async (_what, xml, part) => {
    expect(await refusalOf(xml)).toEqual(refused(part))
  })

  it('reads suites at a depth of hundreds and refuses one of thousands', async () => {
    const nested = (depth: number): string =>
      `${'<testsuite>'.repeat(depth)}<testcase name="a"/>${'</testsuite>'.repeat(depth)}`
    expect(await countsOf(nested(500))).toEqual({ passed: 1 })
    expect(await refusalOf(nested(50_000))).toEqual(refused('more than 1000 elements in one'))
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString'])(
    'takes an attribute or property %s for what it is',
    async (name) => {
      const inside = `<properties><property name="${name}"/></properties><system-out><${name}/></system-out>`
      expect(await countsOf(one(`${name}="1" status="passed"`, inside))).toEqual({ passed: 2 })
      expect(await countsOf(one(`${name}="1" status="failed"`))).toEqual({ passed: 1, failed: 1 })
    },
  )
})

describe('B4 output is no markup', () => {
  const page = '<!DOCTYPE html><html><testcase><failure/></testcase></html>'
  it.each([
    ['CDATA', `<system-out><![CDATA[${page}]]></system-out>`],
    ['a comment', `<!-- ${page} -->`],
    ['text', `<system-err>${page.replaceAll('<', '&lt;')}</system-err>`],
    [
      'an attribute',
      `<properties><property name="p" value="${page.replaceAll('<', '&lt;')}"/></properties>`,
    ],
  ])('passes a test that printed a page into %s', async (_where, inside) => {
    expect(await countsOf(one('', inside))).toEqual({ passed: 2 })
  })

  it('takes control characters as real tools write them', async () => {
    const text = 'red \u001b[31m \u0000 &#27; &#x0;'
    expect(await countsOf(one(`file="${text}"`, `<system-out>${text}</system-out>`))).toEqual({
      passed: 2,
    })
  })
})

describe('B4 a report is decoded as declared', () => {
  const xml = (encoding: string): string =>
    `<?xml version="1.0" encoding="${encoding}"?><testsuite><testcase name="Größe €"/></testsuite>`
  const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()
  it.each([
    ['UTF-8', Buffer.from(xml('UTF-8')), 'Größe €'],
    ['UTF-8 with a mark', Buffer.from(`\uFEFF${xml('utf-8')}`), 'Größe €'],
    ['UTF-16LE with a mark', Buffer.from(`\uFEFF${xml('UTF-16')}`, 'utf16le'), 'Größe €'],
    ['UTF-16LE without', Buffer.from(xml('UTF-16'), 'utf16le'), 'Größe €'],
    ['UTF-16BE with a mark', swapped(`\uFEFF${xml('UTF-16')}`), 'Größe €'],
    ['UTF-16BE without', swapped(xml('UTF-16BE')), 'Größe €'],
    ['ISO-8859-1', Buffer.from(xml('ISO-8859-1').replace('€', '§'), 'latin1'), 'Größe §'],
    ['Windows-1252', Buffer.from(xml('windows-1252').replace('€', '\x80'), 'latin1'), 'Größe €'],
    ['no declaration', Buffer.from(xml('x').replace(/<\?.*?\?>/, '')), 'Größe €'],
  ])('reads %s, in pieces of any size', async (_what, bytes, name) => {
    for (const size of [1, 3, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      )
      const names: string[] = []
      const { copy } = await readJunit(pieces, 'r.xml', (test) => names.push(test.name))
      expect(names).toEqual([name])
      expect(copy).toContain(name)
      expect(/encoding="(.*?)"/.exec(copy)?.[1] ?? 'UTF-8').toBe('UTF-8')
    }
  })

  it.each([
    ['UTF-16', 'is not written in it'],
    ['klingon', 'declares the encoding "klingon", which HQ cannot read'],
    ['utf-7', 'which HQ cannot read'],
  ])('refuses %s over other bytes', async (encoding, part) => {
    expect(await refusalOf(xml(encoding))).toEqual(refused(part))
  })
})

describe('B4 a report of any size', () => {
  /** @param count pieces of 1 MiB */
  function* long(count: number): Generator<Buffer> {
    yield Buffer.from('<testsuite tests="2"><testcase name="a"><system-out><![CDATA[')
    const piece = Buffer.alloc(1024 * 1024, 'output <of> a test\n')
    for (let at = 0; at < count; at += 1) yield piece
    yield Buffer.from(']]></system-out></testcase><testcase name="b"><failure message="x"/>')
    yield Buffer.from('</testcase></testsuite>')
  }

  it('is read without keeping its output, and its cases are kept', async () => {
    const before = process.memoryUsage().rss
    let most = 0
    const watched = function* (): Generator<Buffer> {
      for (const piece of long(300)) {
        most = Math.max(most, process.memoryUsage().rss - before)
        yield piece
      }
    }
    const { report, copy } = await readJunit(watched(), 'big.xml')
    expect(report).toMatchObject({ passed: 1, failed: 1 })
    expect(most).toBeLessThan(120 * 1024 * 1024)
    expect(copy.length).toBeLessThan(2000)
    expect(await countsOf(copy)).toEqual({ passed: 1, failed: 1 })
  })

  it('is refused when one attribute is larger than any message', async () => {
    const name = 'x'.repeat(9 * 1024 * 1024)
    const xml = `<testsuite>\n<testcase name="${name}"/></testsuite>`
    const pieces = [Buffer.from(xml.slice(0, -100)), Buffer.from(xml.slice(-100))]
    const { message } = await problemFrom(() => readJunit(pieces, 'r.xml'))
    expect(message).toContain('r.xml:2 holds an attribute')
  })
})
