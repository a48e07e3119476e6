import { expect, it } from 'vitest'
import { inspectHazards } from '#ops/features/ship/hazards/hazards'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture({ repositoryPer: 'file', provider: 'unreachable' })

it('emoji, other scripts, links inside the tree and small binary files are neither flagged nor refused', async () => {
  const base = at.sample.git('rev-parse', 'HEAD')
  const head = at.sample.commit('Plain', {
    'notes ❤️.md': '⚠️ 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ 👍🏽\nGrüße, 漢字, ελληνικά, עברית, हिन्दी\n',
    'logo.ico': '\u0000\u0000\u0001\u0000\u0001\u0000',
    'empty.bin': '\u0000\u0000\u0000\u0000',
  })
  expect(await inspectHazards({ repo: at.sample.repo, base, head }, {})).toEqual([])
})
