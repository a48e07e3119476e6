import { describe, expect, it } from 'vitest'
import { rareCounts, testCountsText } from '#shared/test-counts'

describe('the counts of a test suite as text', () => {
  const plain = { passed: 5, failed: 0, skipped: 1 }

  it('names what most suites have, also when it is 0', () => {
    expect(testCountsText(plain)).toBe('5 passed, 0 failed, 1 skipped')
    expect(rareCounts({ flaky: 0 })).toEqual([])
  })

  it('B4 shows flaky tests, expected failures and tests to do', () => {
    expect(testCountsText({ ...plain, flaky: 2, expected_failures: 1, todo: 3 })).toBe(
      '5 passed, 0 failed, 1 skipped, 2 flaky, 1 expected failure, 3 to do',
    )
    expect(rareCounts({ flaky: 0, expected_failures: 2, todo: 0 })).toEqual(['2 expected failures'])
  })
})
