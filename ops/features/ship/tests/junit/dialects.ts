// The dialects of JUnit XML: how each tool's report is recognized and what differs in it. docs/TEST_REPORTS.md says
// the same for people.

/**
 * What the `tests` of a suite counts, when no test failed:
 *
 * - `cases`: each listed case. The suites below it count too, or not.
 * - `children`: each case and suite right below it.
 * - `some`: some of the listed cases. The report itself is complete.
 * - `not_todo`: each listed case but those to do, which look like passed ones.
 * - `subtests`: each listed case and, beside it, each of its subtests. A case that ran again counts once.
 */
export type TestsRule = 'cases' | 'children' | 'some' | 'not_todo' | 'subtests'

/** How the report shows a test that the tool ran again. Null: it shows the last run only, or in the case itself. */
export type RerunRule = 'failed_and_passed' | 'passed_again' | null

export type SkipMark = 'xfail' | 'todo' | 'unexpected_pass' | 'skipped'

export interface Dialect {
  readonly name: string
  /** Names of the attributes of its `testsuite`, in its order, joined by a space. */
  readonly suite?: RegExp
  /** The same of its `testsuites`. */
  readonly root?: RegExp
  readonly tests: TestsRule
  readonly reruns: RerunRule
  /** `type` or message of a skip that says more than that it was skipped. */
  readonly marks: readonly (readonly [RegExp, SkipMark])[]
  /** `errors` counts what `failures` counts, seen otherwise: they do not add up. */
  readonly errorsOverlap?: boolean
  /** A test file is a case of its own when it reported no test. */
  readonly fileCases?: boolean
  /** Comments behind the cases count the failures, also those that no case shows. */
  readonly summary?: boolean
}

const plain = { tests: 'cases', reruns: null, marks: [] } as const

/** What holds when no tool is recognized. */
export const unknownDialect: Dialect = { ...plain, name: 'unknown' }

const table: readonly Dialect[] = [
  {
    ...plain,
    name: 'pytest',
    suite: /^name errors failures skipped tests time timestamp hostname/,
    tests: 'subtests',
    reruns: 'passed_again',
    // `run=False`: the test did not run.
    marks: [
      [/^pytest\.xfail \[NOTRUN\]/, 'skipped'],
      [/^pytest\.xfail /, 'xfail'],
    ],
  },
  {
    ...plain,
    name: 'nose2',
    suite: /^name errors failures skipped tests time$/,
    marks: [
      [/^ expected test failure/, 'xfail'],
      [/^ test passes unexpectedly/, 'unexpected_pass'],
    ],
  },
  {
    ...plain,
    name: 'unittest',
    suite: /^name tests (file )?time timestamp failures errors/,
    marks: [[/^XFAIL /i, 'xfail']],
  },
  {
    ...plain,
    name: 'vitest',
    suite: /^name timestamp hostname tests failures errors skipped time/,
  },
  {
    ...plain,
    name: 'jest',
    suite: /^name errors failures skipped timestamp time tests/,
    tests: 'not_todo',
  },
  { ...plain, name: 'mocha', suite: /^name timestamp tests (file )?time failures/ },
  { ...plain, name: 'mocha xunit', suite: /^name tests failures errors skipped timestamp time$/ },
  {
    ...plain,
    name: 'node:test',
    suite: /^name time disabled errors tests failures skipped/,
    tests: 'children',
    marks: [[/^todo /, 'todo']],
    fileCases: true,
    summary: true,
  },
  {
    ...plain,
    name: 'gotestsum',
    root: /^tests failures errors time$/,
    suite: /^tests failures (skipped )?time name timestamp/,
    reruns: 'failed_and_passed',
    errorsOverlap: true,
  },
  { ...plain, name: 'go-junit-report', suite: /^name tests failures errors id hostname/ },
  {
    ...plain,
    name: 'Surefire',
    suite:
      /^xmlns:xsi xsi:nonamespaceschemalocation version name time tests errors skipped failures/,
    tests: 'some',
  },
  {
    ...plain,
    name: 'Gradle',
    suite: /^name tests skipped failures errors timestamp hostname time$/,
    reruns: 'failed_and_passed',
  },
  {
    ...plain,
    name: 'Playwright',
    suite: /^name timestamp hostname tests failures skipped time errors/,
  },
  {
    ...plain,
    name: 'behave',
    suite: /^name tests errors failures skipped time timestamp hostname/,
  },
  { ...plain, name: 'Robot', suite: /^name tests errors failures skipped time/ },
  {
    ...plain,
    name: 'cargo-nextest',
    root: /^name tests failures errors uuid/,
    suite: /^name tests disabled errors failures/,
  },
]

/** @param attributes of a `testsuite` or `testsuites`. @returns undefined when no tool is recognized */
export function dialectOf(
  element: 'suite' | 'root',
  attributes: ReadonlyMap<string, string>,
): Dialect | undefined {
  const names = [...attributes.keys()].join(' ')
  return table.find((dialect) => dialect[element]?.test(names))
}

/** node:test has no attribute on its root; the cases right below it show that it is node:test. */
export const dialectOfCase = (attributes: ReadonlyMap<string, string>): Dialect | undefined =>
  [...attributes.keys()].join(' ').startsWith('name time classname')
    ? table.find(({ name }) => name === 'node:test')
    : undefined

/** What a skip is in a dialect. */
export function markOf(
  { marks }: Dialect,
  { type, message }: { readonly type: string; readonly message: string },
): SkipMark {
  const text = `${type} ${message}`
  return marks.find(([pattern]) => pattern.test(text))?.[1] ?? 'skipped'
}
