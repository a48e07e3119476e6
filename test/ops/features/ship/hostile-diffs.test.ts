import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkHostile, commitHostile, judgeCommit } from '../../../support/hostile-check.ts'
import { hostileDiffs } from '../../../support/hostile-diffs.ts'
import { seeds } from '../../../support/seeded.ts'
import { makeShipRepo, type ShipRepo } from '../../../support/ship-repo.ts'

let sample: ShipRepo
let base: string
beforeAll(() => {
  sample = makeShipRepo('http://127.0.0.1:9/v1')
  base = sample.git('rev-parse', 'HEAD')
})
afterAll(() => sample.remove())

describe('a hostile diff is refused by its class, or shown whole to the reviewer', () => {
  it.each(hostileDiffs.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    for (const seed of each.alone ? seeds.slice(0, 1) : seeds)
      await checkHostile(sample, base, each, seed)
  })

  it('and a gate that the change lowers for itself is what it was, and the reviewer is told', async () => {
    const lowered = hostileDiffs.find(({ name }) => name.startsWith('a gate'))
    if (!lowered) throw new Error('the table has no such case')
    const { prompts } = await judgeCommit(sample, base, commitHostile(sample, base, lowered, 1))
    expect(prompts[0]).toContain('"review.max_packets: 20 → 50"')
  })
})
