// Hostile diffs: size.
import { type HostileDiff } from './making.ts'

export const hostileSizes: readonly HostileDiff[] = [
  {
    name: 'one file of 50 MB',
    expected: 'review_too_large',
    alone: true,
    commit: (sample) => {
      sample.commit('Change', { 'large.txt': `${'x'.repeat(99)}\n`.repeat(500_000) })
    },
  },
  {
    name: '50 MB in many files',
    expected: 'review_too_large',
    alone: true,
    commit: (sample) => {
      sample.commit(
        'Change',
        Object.fromEntries(
          Array.from({ length: 300 }, (_, at) => [
            `large/${at}.txt`,
            `${at} ${'x'.repeat(95)}\n`.repeat(1700),
          ]),
        ),
      )
    },
  },
]
