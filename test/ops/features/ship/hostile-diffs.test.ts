import { describe, expect, it } from 'vitest'
import { checkHostile, commitHostile, judgeCommit } from '../../../support/hostile-check.ts'
import { hostileDiffs } from '../../../support/hostile-diffs/index.ts'
import { seeds } from '../../../support/seeded.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

let base: string
const at = shipFixture({
  repositoryPer: 'file',
  provider: 'unreachable',
  prepare: ({ sample }) => {
    base = sample.git('rev-parse', 'HEAD')
  },
})

describe('a hostile diff', () => {
  it.each(hostileDiffs.map((each) => [each.name, each] as const))(
    'is refused by its class, or shown whole to the reviewer: %s',
    async (_, each) => {
      for (const seed of each.alone ? seeds.slice(0, 1) : seeds)
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
