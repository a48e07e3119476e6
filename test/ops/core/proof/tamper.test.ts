import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readChainHead } from '#ops/core/proof/chain-head'
import { pruneBundle } from '#ops/core/proof/prune-bundle'
import { hostKinds, rememberedBy, verifyChain, type Remembered } from '#ops/core/proof/verify-chain'
import { trusting, newKey, proofBench, randomOf, runOf, type ProofBench } from './proof-bench.ts'
import { tamperings, type Tampering } from './tampering.ts'

const count = 6
const seeds = Array.from({ length: 20 }, (_, index) => 1001 + index)
/** Each seed takes this many cases, one after another through the list, so that all of them come up several times. */
const casesPerSeed = 10

describe('a chain that somebody tampered with', () => {
  let bench: ProofBench
  let remembered: Remembered[]
  const foreign = newKey()
  beforeAll(async () => {
    bench = proofBench()
    for (let n = 1; n <= count; n += 1) {
      bench.write('deploy', n)
      await bench.seal('deploy', n)
    }
    const head = readChainHead(bench.chainFile)
    remembered = head === null ? [] : rememberedBy(head, 'the chain file')
  })
  afterAll(() => bench.remove())

  /** A fresh copy of the sound chain, changed by `change`, and what the verifier says. */
  async function after(
    change: (scene: Parameters<Tampering['apply']>[0]) => void,
    random: () => number,
  ): Promise<Awaited<ReturnType<typeof verifyChain>>> {
    const root = mkdtempSync(join(tmpdir(), 'tamper-'))
    try {
      cpSync(bench.root, root, { recursive: true })
      change({
        root,
        dir: (n) => join(root, 'deploy', runOf(n)),
        count,
        random,
        foreign,
        key: bench.key,
      })
      return await verifyChain(root, { keys: trusting(bench.key), kinds: hostKinds, remembered })
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }

  it('is valid before the change', async () => {
    expect(remembered).toEqual([expect.objectContaining({ counter: count })])
    expect(await after(() => undefined, randomOf(1))).toMatchObject({
      state: 'verified',
      problems: [],
    })
  })

  it.each(seeds)('is reported by the name of the change, ten cases of seed %i', async (seed) => {
    const random = randomOf(seed)
    for (let index = 0; index < casesPerSeed; index += 1) {
      const tampering = tamperings[((seed - 1001) * casesPerSeed + index) % tamperings.length]
      if (tampering === undefined) throw new Error('no case')
      const at = 1 + Math.floor(random() * count)
      const { state, problems } = await after((scene) => tampering.apply(scene, at), random)
      expect({ case: tampering.name, seed, at, state }).toEqual({
        case: tampering.name,
        seed,
        at,
        state: 'broken',
      })
      expect(
        tampering.named.some((code) => problems.some((problem) => problem.code === code)),
        `${tampering.name}, seed ${seed}, bundle ${at}: ${JSON.stringify(problems)}`,
      ).toBe(true)
    }
  })

  it('covers every kind of tampering at least seven times', () => {
    expect(seeds.length * casesPerSeed).toBe(200)
    expect(Math.floor((seeds.length * casesPerSeed) / tamperings.length)).toBeGreaterThanOrEqual(7)
  })

  it.each(seeds)('raises no alarm after signed pruning alone, seed %i', async (seed) => {
    const random = randomOf(seed)
    const result = await after(({ dir, key }) => {
      for (let n = 1; n <= count; n += 1)
        if (random() < 0.7)
          pruneBundle({
            dir: dir(n),
            key,
            drop: ({ path }) => path.endsWith('.log') && random() < 0.8,
          })
    }, random)
    expect(result).toMatchObject({ state: 'verified', problems: [] })
  })
})
