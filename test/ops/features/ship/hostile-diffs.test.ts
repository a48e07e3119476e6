import { describe, expect, it } from 'vitest'
import { checkHostile, commitHostile, judgeCommit } from '../../../support/hostile-check.ts'
import { hostileDiffs } from '../../../support/hostile-diffs/index.ts'
import { seeds } from '../../../support/seeded.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

/** Seeds that each diff is tried with here. `npm run campaign` tries each with all of them. */
const seedsEach = 2
/** The next ones for each diff, so that all seeds come up. */
const seedsOf = (at: number): number[] =>
  Array.from({ length: seedsEach }, (_, n) => seeds[(at * seedsEach + n) % seeds.length] ?? 0)

let base: string
const at = shipFixture({
  repositoryPer: 'file',
  provider: 'unreachable',
  prepare: ({ sample }) => {
    base = sample.git('rev-parse', 'HEAD')
  },
})

describe('a hostile diff', () => {
  it.each(hostileDiffs.map((each, n) => [each.name, each, n] as const))(
    'is refused by its class, or shown whole to the reviewer: %s',
    async (_, each, n) => {
      for (const seed of each.alone ? seeds.slice(0, 1) : seedsOf(n))
        await checkHostile(at.sample, base, each, seed)
    },
  )

  it('is judged by the gate of its base when it lowers one, and the reviewer sees that', async () => {
    const lowered = hostileDiffs.find(({ name }) => name.startsWith('a gate'))
    if (!lowered) throw new Error('the table has no such case')
    const { prompts } = await judgeCommit(
      at.sample,
      base,
      commitHostile(at.sample, base, lowered, 1),
    )
    expect(prompts[0]).toContain('"review.max_packets: 20 → 50"')
  })
})
