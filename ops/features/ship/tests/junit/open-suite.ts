// A suite while its element is read: what it declares and what it lists.
import type { XmlTag } from './xml-events.ts'
import { unknownDialect, type Dialect, type TestsRule } from './dialects.ts'
import type { TestCase } from './test-report.ts'
import { Unreadable } from './unreadable.ts'
import { countKind, saidBy } from './words.ts'

/** Names by which a test that ran again is recognized, most of one suite. */
const maxNames = 10_000
/** pytest runs a test again at once; between the runs others may be reported by other workers. */
const window = 1000

export class OpenSuite {
  readonly frame = 'suite'
  readonly name: string
  readonly line: number
  readonly declared: Declared
  /** Without attributes, as the root of node:test. */
  readonly isBare: boolean
  /** What its attributes say, when that is a failure. */
  readonly saidFailed: string | undefined
  /** Null while no tool is recognized. */
  dialect: Dialect | null
  /** Cases right below it, and those of all suites below it too. */
  direct = 0
  all = 0
  /** Suites right below it, and the tests that these declare (else: list). */
  suites = 0
  inner = 0
  /** As its tool counts them. */
  failures = 0
  skips = 0
  /** Skips that are declared and not listed; `tests` may count them. */
  unlisted = 0
  /** Cases that were listed again and not counted again. */
  repeats = 0
  passed = 0
  instant = 0
  /** Passed cases that took no time. At most `maxNames`. */
  readonly instants: TestCase[] = []
  readonly #failed = new Map<string, TestCase>()
  readonly #recent = new Set<string>()

  constructor({ attributes, line, name }: XmlTag, dialect: Dialect | null) {
    this.name = (attributes.get('name') || name).slice(0, 200)
    this.line = line
    this.dialect = dialect
    this.declared = declaredBy(attributes, line, dialect ?? unknownDialect)
    this.isBare = attributes.size === 0
    this.saidFailed = saidFailed(attributes)
  }

  /** A failed test, and whether it is the first failure of that name. */
  rememberFailed(test: TestCase): boolean {
    if (this.#failed.has(test.name)) return false
    if (this.#failed.size < maxNames) this.#failed.set(test.name, test)
    return true
  }

  /** @returns the earlier failure of a test that passed, once */
  takeFailed(name: string): TestCase | undefined {
    const earlier = this.#failed.get(name)
    this.#failed.delete(name)
    return earlier
  }

  /** Did a test of that name pass shortly before? */
  passedBefore(name: string): boolean {
    if (this.#recent.has(name)) return true
    this.#recent.add(name)
    const [oldest] = this.#recent
    if (this.#recent.size > window && oldest !== undefined) this.#recent.delete(oldest)
    return false
  }

  rememberInstant(test: TestCase): void {
    this.instant += 1
    if (this.instants.length < maxNames) this.instants.push(test)
  }

  /** Listed cases that its `tests` does not count and no failure explains. */
  uncounted(): number {
    const { tests = this.all, failed = 0 } = this.declared
    return Math.max(0, this.all - tests - Math.max(0, this.failures - failed))
  }

  /** What its `tests` says against its cases; null when they agree. */
  disagreement(): Unreadable | null {
    const { tests } = this.declared
    if (tests === undefined || agrees[(this.dialect ?? unknownDialect).tests](this, tests))
      return null
    return new Unreadable(
      `declares ${tests} tests in ${JSON.stringify(this.name)} and lists ${this.all}`,
      this.line,
    )
  }
}

interface Declared {
  readonly tests?: number
  readonly failed?: number
  readonly skipped?: number
}

/** @throws {Unreadable} for a count that is no number */
function declaredBy(
  attributes: ReadonlyMap<string, string>,
  line: number,
  { errorsOverlap }: Dialect,
): Declared {
  const declared: { tests?: number; failed?: number; skipped?: number } = {}
  for (const [name, value] of attributes) {
    const kind = countKind(name)
    if (kind === undefined || value.trim() === '') continue
    if (!/^\s*\d{1,15}\s*$/.test(value))
      throw new Unreadable(`holds ${name}=${JSON.stringify(value.slice(0, 40))}, no count`, line)
    const before = declared[kind] ?? 0
    const count = Number(value)
    declared[kind] = errorsOverlap === true ? Math.max(before, count) : before + count
  }
  return declared
}

/** The counts of a suite are no statement about the suite itself. */
function saidFailed(attributes: ReadonlyMap<string, string>): string | undefined {
  const own = [...attributes].filter(([name]) => countKind(name) === undefined)
  return saidBy(new Map(own)).find(({ kind }) => kind === 'failed')?.text
}

const agrees: Readonly<Record<TestsRule, (suite: OpenSuite, tests: number) => boolean>> = {
  cases: ({ all, direct, inner, unlisted }, tests) =>
    [all, direct, direct + inner, all + unlisted].includes(tests),
  children: ({ all, direct, suites }, tests) => [direct + suites, all].includes(tests),
  some: ({ all }, tests) => tests <= all,
  not_todo: ({ all }, tests) => tests <= all,
  subtests: ({ all, repeats }, tests) => tests >= all - repeats,
}
