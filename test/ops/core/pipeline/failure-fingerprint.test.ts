import { describe, expect, it } from 'vitest'
import {
  failureFingerprint,
  withoutIds,
  withoutNumbers,
} from '#ops/core/pipeline/failure-fingerprint'

const first =
  'run 20261129T230000Z-0123abcd of 0123456789abcdef0123456789abcdef01234567 ' +
  'in /tmp/openclaw-worktree-a1B2c3: expected 4, received 5 after 1.5 s'
const second =
  'run 20261130T010203Z-89abcdef of 89abcdef0123456789abcdef0123456789abcdef ' +
  'in /tmp/openclaw-worktree-Zz9y8x: expected 4, received 5 after 210 ms'

describe('the fingerprint of a failure', () => {
  it('is equal when only ids, temporary names and durations differ', () => {
    expect(withoutIds(first)).toBe(
      'run <run> of <hex> in /tmp/<worktree>: expected 4, received 5 after <time>',
    )
    expect(failureFingerprint(['tests_failed', withoutIds(first)])).toBe(
      failureFingerprint(['tests_failed', withoutIds(second)]),
    )
    expect(failureFingerprint([])).toMatch(/^[0-9a-f]{32}$/)
  })

  it('keeps the numbers of a test, and passes over those of a log', () => {
    const other = first.replace('received 5', 'received 6')
    expect(withoutIds(other)).not.toBe(withoutIds(first))
    expect(withoutNumbers(other)).toBe(withoutNumbers(first))
    expect(withoutNumbers('a1b2c3d: port 40123')).toBe('<hex>: port <n>')
  })

  it('differs for another class of the same text', () => {
    expect(failureFingerprint(['build_failed', first])).not.toBe(
      failureFingerprint(['tests_failed', first]),
    )
  })
})
