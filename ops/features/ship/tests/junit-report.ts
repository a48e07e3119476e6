// Counts the test cases of a JUnit XML report.
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { Problem } from '#shared/errors'

export interface TestCase {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** First line of the failure, or the reason of the skip. */
  readonly message: string
}

export interface TestReport {
  readonly cases: readonly TestCase[]
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Counts a JUnit XML report. The test cases are counted one by one. When a suite declares more failures or skips than
 * its cases show, its own number counts, so that a failure outside a case counts.
 *
 * @throws {Problem} `tests_no_report` when it is not well-formed JUnit XML, declares a DOCTYPE, or ran no test
 */
export function readJunit(xml: string, origin: string): TestReport {
  const none = (why: string): Problem =>
    new Problem(
      'tests_no_report',
      `The report ${origin} ${why}, so there is no proof that the tests passed. Nothing was pushed.`,
    )
  if (/<!DOCTYPE/i.test(xml)) throw none('declares a DOCTYPE, which a test report does not have')
  const valid = XMLValidator.validate(xml)
  if (valid !== true)
    throw none(`is not well-formed XML (line ${valid.err.line}: ${valid.err.msg})`)
  const roots = (parser.parse(xml) as Node[]).filter((node) =>
    ['testsuites', 'testsuite'].includes(tagOf(node)),
  )
  if (roots.length === 0) throw none('has no testsuite')

  const cases: TestCase[] = []
  const visit = (node: Node): void => {
    if (tagOf(node) === 'testcase') cases.push(readCase(node))
    else for (const child of childrenOf(node)) visit(child)
  }
  for (const root of roots) visit(root)
  const declared = (names: readonly string[], node: Node): number => {
    const own = names.reduce((sum, name) => sum + count(node, name), 0)
    const inner = childrenOf(node).reduce(
      (sum, child) => sum + (tagOf(child) === 'testcase' ? 0 : declared(names, child)),
      0,
    )
    return Math.max(own, inner)
  }
  const total = (names: readonly string[]): number =>
    roots.reduce((sum, root) => sum + declared(names, root), 0)
  const of = (outcome: TestCase['outcome']): number =>
    cases.filter((each) => each.outcome === outcome).length
  const failed = Math.max(of('failed'), total(['failures', 'errors']))
  const skipped = Math.max(of('skipped'), total(['skipped', 'disabled']))
  if (of('passed') + failed === 0)
    throw none(cases.length === 0 ? 'lists no test' : 'lists only skipped tests')
  return { cases, passed: of('passed'), failed, skipped }
}

type Node = Readonly<Record<string, unknown>>
const attributes = ':@'
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  parseTagValue: false,
  trimValues: true,
  htmlEntities: true,
})

const tagOf = (node: Node): string => Object.keys(node).find((key) => key !== attributes) ?? ''
const childrenOf = (node: Node): Node[] => {
  const inner = node[tagOf(node)]
  return Array.isArray(inner) ? (inner as Node[]) : []
}
const attribute = (node: Node, name: string): string => {
  const all = node[attributes]
  const value: unknown =
    typeof all === 'object' && all !== null ? (all as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : ''
}
const count = (node: Node, name: string): number => {
  const value = Number(attribute(node, name) || '0')
  return Number.isFinite(value) && value > 0 ? value : 0
}

const firstLine = (text: string): string =>
  text
    .split(/\r?\n/)
    .find((line) => line.trim() !== '')
    ?.trim() ?? ''
const textOf = (node: Node): string =>
  childrenOf(node)
    .map((child) => (typeof child['#text'] === 'string' ? child['#text'] : ''))
    .join('')

function readCase(node: Node): TestCase {
  const owner = attribute(node, 'classname')
  const name = attribute(node, 'name') || '(unnamed test)'
  const full = owner === '' || owner === 'test' ? name : `${owner}.${name}`
  const children = childrenOf(node)
  const bad = children.find((child) => ['failure', 'error', 'rerunFailure'].includes(tagOf(child)))
  if (bad)
    return {
      name: full,
      outcome: 'failed',
      message: firstLine(attribute(bad, 'message')) || firstLine(textOf(bad)),
    }
  const said = [attribute(node, 'status'), attribute(node, 'result')].map((word) =>
    word.toLowerCase(),
  )
  if (said.some((word) => ['failed', 'failure', 'fail', 'error'].includes(word)))
    return { name: full, outcome: 'failed', message: said.find((word) => word !== '') ?? '' }
  const skip = children.find((child) => ['skipped', 'disabled'].includes(tagOf(child)))
  if (skip)
    return {
      name: full,
      outcome: 'skipped',
      message: firstLine(attribute(skip, 'message')) || firstLine(textOf(skip)),
    }
  // Some runners say it in an attribute alone (GoogleTest: status="notrun" result="suppressed").
  const notRun = said.find((word) =>
    ['notrun', 'skipped', 'disabled', 'ignored', 'suppressed'].includes(word),
  )
  if (notRun !== undefined) return { name: full, outcome: 'skipped', message: notRun }
  return { name: full, outcome: 'passed', message: '' }
}
