import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readChainHead } from '#ops/core/proof/chain-head'
import { hostKinds, rememberedBy, verifyChain } from '#ops/core/proof/verify-chain'
import { trusting, newKey, proofBench, randomOf, runOf } from '../ops/core/proof/proof-bench.ts'
import { tamperings } from '../ops/core/proof/tampering.ts'
import { campaignSeeds, report } from './seeds.ts'

it('every kind of tampering is reported by its name, for every seed', async () => {
  const seeds = campaignSeeds()
  const bench = proofBench()
  const foreign = newKey()
  const count = 6
  let cases = 0
  const missed: string[] = []
  try {
    for (let n = 1; n <= count; n += 1) {
      bench.write('deploy', n)
      await bench.seal('deploy', n)
    }
    const head = readChainHead(bench.chainFile)
    for (const seed of seeds) {
      const random = randomOf(seed)
      for (const tampering of tamperings) {
        const root = mkdtempSync(join(tmpdir(), 'campaign-'))
        try {
          cpSync(bench.root, root, { recursive: true })
          tampering.apply(
            {
              root,
              dir: (n) => join(root, 'deploy', runOf(n)),
              count,
              random,
              foreign,
              key: bench.key,
            },
            1 + Math.floor(random() * count),
          )
          const { state, problems } = await verifyChain(root, {
            keys: trusting(bench.key),
            kinds: hostKinds,
            remembered: head === null ? [] : rememberedBy(head, 'the chain file'),
          })
          cases += 1
          if (state !== 'broken' || !problems.some(({ code }) => tampering.named.includes(code)))
            missed.push(`seed ${seed}: ${tampering.name}: ${JSON.stringify(problems)}`)
        } finally {
          rmSync(root, { recursive: true, force: true })
        }
      }
    }
  } finally {
    bench.remove()
  }
  report('proof tampering', seeds, cases, missed.length)
  expect(missed).toEqual([])
})
