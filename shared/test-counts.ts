// The counts of a test suite as text.
import { plural } from './plural.ts'
import type { ShipResult } from './result.ts'

type Counts = Pick<
  ShipResult['tests'][number],
  'passed' | 'failed' | 'skipped' | 'flaky' | 'expected_failures' | 'todo'
>

/** Counts that most suites do not have, those above 0 only: `1 flaky`, `2 to do`. */
export const rareCounts = ({
  flaky = 0,
  expected_failures = 0,
  todo = 0,
}: Pick<Counts, 'flaky' | 'expected_failures' | 'todo'>): string[] => [
  ...(flaky > 0 ? [`${flaky} flaky`] : []),
  ...(expected_failures > 0 ? [plural(expected_failures, 'expected failure')] : []),
  ...(todo > 0 ? [`${todo} to do`] : []),
]

/** `5 passed, 0 failed, 1 skipped, 1 flaky`. Flaky tests are among the passed ones. */
export const testCountsText = (counts: Counts): string =>
  [
    `${counts.passed} passed`,
    `${counts.failed} failed`,
    `${counts.skipped} skipped`,
    ...rareCounts(counts),
  ].join(', ')
