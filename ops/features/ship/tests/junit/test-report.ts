// What a JUnit report says, as HQ counts it.

/**
 * `todo`: the tool says that the test is still to be written, whatever it did. `xfail`: it failed, as its author says
 * it must.
 */
export type Outcome = 'passed' | 'failed' | 'skipped' | 'todo' | 'xfail'

export interface TestCase {
  /** With what it belongs to in front: a class, a file. */
  readonly name: string
  /** As its author wrote it. */
  readonly title: string
  readonly outcome: Outcome
  /** First line of the failure, or the reason of the skip. */
  readonly message: string
}

export interface TestCounts {
  /** Flaky tests included. */
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly todo: number
  readonly xfail: number
  /** Tests that failed and passed when the tool ran them again. */
  readonly flaky: number
}

export interface TestReport extends TestCounts {
  /** In the order of the report. At most `maxKept`; `failed` counts all. */
  readonly failures: readonly TestCase[]
  /** Skipped and to do, in the order of the report. At most `maxKept`; `skipped` and `todo` count all. */
  readonly skips: readonly TestCase[]
}

/** Most failures and most skips of one report that are kept by name. */
export const maxKept = 10_000

/** Tests that the report speaks of. */
export const totalOf = ({ passed, failed, skipped, todo, xfail }: TestCounts): number =>
  passed + failed + skipped + todo + xfail
