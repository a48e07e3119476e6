// The counts of a report while it is read.
import { maxKept, type TestCase, type TestCounts, type TestReport } from './test-report.ts'

export class Tally {
  readonly #counts: { -readonly [name in keyof TestCounts]: number } = {
    passed: 0,
    failed: 0,
    skipped: 0,
    todo: 0,
    xfail: 0,
    flaky: 0,
  }
  readonly #failures = new Set<TestCase>()
  readonly #skips = new Set<TestCase>()

  add(test: TestCase): void {
    const { outcome } = test
    this.#counts[outcome] += 1
    if (outcome === 'failed') keep(this.#failures, test)
    if (outcome === 'skipped' || outcome === 'todo') keep(this.#skips, test)
  }

  /** Tests that the report counts and does not name. */
  addUnnamed(outcome: 'failed' | 'skipped', count: number): void {
    this.#counts[outcome] += count
  }

  addFlaky(): void {
    this.#counts.flaky += 1
  }

  /** A test that was counted as failed passed later. */
  passedLater(failed: TestCase): void {
    this.#failures.delete(failed)
    this.#counts.failed -= 1
    this.#counts.passed += 1
    this.#counts.flaky += 1
  }

  /** Tests that were counted as passed are to do. @param named those of them that are known by name */
  wereToDo(count: number, named: readonly TestCase[]): void {
    this.#counts.passed -= count
    this.#counts.todo += count
    for (const test of named) keep(this.#skips, { ...test, outcome: 'todo', message: 'to do' })
  }

  get failed(): number {
    return this.#counts.failed
  }

  report(): TestReport {
    return { ...this.#counts, failures: [...this.#failures], skips: [...this.#skips] }
  }
}

function keep(kept: Set<TestCase>, test: TestCase): void {
  if (kept.size < maxKept) kept.add(test)
}
