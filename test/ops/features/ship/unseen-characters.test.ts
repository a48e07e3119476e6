import { afterAll, beforeAll, expect, it } from 'vitest'
import { lookForHazards } from '#ops/features/ship/hazards/hazards'
import { makeShipRepo, type ShipRepo } from '../../../support/ship-repo.ts'

let sample: ShipRepo
beforeAll(() => {
  sample = makeShipRepo('http://127.0.0.1:9/v1')
})
afterAll(() => sample.remove())

it('emoji, other scripts, links inside the tree and small binary files are nothing to be told or refused', async () => {
  const base = sample.git('rev-parse', 'HEAD')
  const head = sample.commit('Plain', {
    'notes ❤️.md': '⚠️ 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ 👍🏽\nGrüße, 漢字, ελληνικά, עברית, हिन्दी\n',
    'logo.ico': '\u0000\u0000\u0001\u0000\u0001\u0000',
    'empty.bin': '\u0000\u0000\u0000\u0000',
  })
  expect(await lookForHazards(sample.repo, base, head, {})).toEqual([])
})
