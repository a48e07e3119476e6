import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chainReader } from '#ops/core/proof/chain-report'
import { hostKinds } from '#ops/core/proof/verify-chain'
import { forgetWitness, checkSeenAgain, observe, readWitness } from '#ops/core/proof/witness'
import type { ChainReport } from '#shared/proof'
import { trusting, newKey, proofBench, type ProofBench } from './proof-bench.ts'

describe('what HQ remembers of a host', () => {
  let bench: ProofBench
  let home: string
  beforeEach(() => {
    bench = proofBench()
    home = mkdtempSync(join(tmpdir(), 'home-'))
  })
  afterEach(() => {
    bench.remove()
    rmSync(home, { recursive: true, force: true })
  })

  const sealUpTo = async (from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n += 1) {
      bench.write('doctor', n)
      await bench.seal('doctor', n)
    }
  }
  /** What the host answers when HQ asks for what came after its memory. */
  const report = (): Promise<ChainReport | null> =>
    chainReader(bench.root, bench.chainFile, hostKinds)(readWitness(home, 'aiops-1')?.counter ?? 0)
  const see = (said: ChainReport | null, keys = trusting(bench.key)) =>
    observe({
      home,
      host: 'aiops-1',
      report: said,
      keys,
      now: new Date('2026-11-23T00:00:00.000Z'),
    })

  it('starts with the first bundle and follows the chain link by link', async () => {
    expect(see(await report())).toEqual({ witness: null, alarms: [], more: false })
    await sealUpTo(1, 3)
    expect(see(await report())).toMatchObject({ alarms: [], more: false, witness: { counter: 3 } })
    await sealUpTo(4, 9)
    expect(see(await report())).toMatchObject({ alarms: [], witness: { counter: 9 } })
    expect(see(await report())).toMatchObject({ alarms: [], witness: { counter: 9 } })
    expect(readWitness(home, 'aiops-1')).toMatchObject({
      host: 'aiops-1',
      counter: 9,
      seen_at: '2026-11-23T00:00:00.000Z',
    })
  })

  it('reads a long absence in pages', async () => {
    await sealUpTo(1, 1)
    see(await report())
    await sealUpTo(2, 60)
    expect(see(await report())).toMatchObject({ alarms: [], more: true, witness: { counter: 51 } })
    expect(see(await report())).toMatchObject({ alarms: [], more: false, witness: { counter: 60 } })
  })

  it('raises an alarm over a restored backup, also once the chain has outgrown it', async () => {
    await sealUpTo(1, 3)
    const backup = mkdtempSync(join(tmpdir(), 'backup-'))
    cpSync(join(bench.root, '..'), backup, { recursive: true })
    await sealUpTo(4, 6)
    see(await report())
    rmSync(bench.root, { recursive: true })
    cpSync(backup, join(bench.root, '..'), { recursive: true, force: true })
    rmSync(backup, { recursive: true })
    expect(see(await report())).toMatchObject({
      alarms: [{ code: 'chain_truncated' }],
      witness: { counter: 6 },
    })
    bench.write('doctor', 7)
    for (const n of [7, 8, 9]) {
      bench.write('doctor', n)
      await bench.seal('doctor', n)
    }
    expect(see(await report())).toMatchObject({
      alarms: [{ code: 'head_replaced' }],
      witness: { counter: 6 },
    })
    await sealUpTo(10, 12)
    expect(see(await report())).toMatchObject({ alarms: [{ code: 'head_replaced' }] })
    forgetWitness(home, 'aiops-1')
    expect(see(await report())).toMatchObject({ alarms: [], witness: { counter: 9 } })
  })

  it('raises an alarm over another chain, a silent host, a foreign key and a report that leads nowhere', async () => {
    await sealUpTo(1, 2)
    see(await report())
    const seen = await report()
    if (seen === null) throw new Error('no report')
    expect(see(null)).toMatchObject({ alarms: [{ code: 'chain_truncated' }] })
    expect(see({ ...seen, chain: '0'.repeat(16) })).toMatchObject({
      alarms: [{ code: 'chain_replaced' }],
    })
    expect(see({ ...seen, head: '0'.repeat(64) })).toMatchObject({
      alarms: [{ code: 'head_replaced' }],
    })
    expect(see({ ...seen, counter: 9, links: [] })).toMatchObject({
      alarms: [{ code: 'chain_gap' }],
    })
    await sealUpTo(3, 4)
    const grown = await report()
    if (grown === null) throw new Error('no report')
    expect(see(grown, trusting(newKey()))).toMatchObject({ alarms: [{ code: 'unknown_key' }] })
    expect(see({ ...grown, links: grown.links.slice(1) })).toMatchObject({
      alarms: [{ code: 'chain_gap' }],
    })
    expect(
      see({
        ...grown,
        links: grown.links.map((link) => ({
          ...link,
          kind: 'deploy' as const,
          manifest: link.manifest.replace('"kind": "doctor"', '"kind": "deploy"'),
        })),
      }),
    ).toMatchObject({
      alarms: [{ code: 'signature_invalid', counter: 3 }, { code: 'run_mismatch' }],
    })
    expect(readWitness(home, 'aiops-1')).toMatchObject({ counter: 2 })
    expect(see(grown)).toMatchObject({ alarms: [], witness: { counter: 4 } })
  })

  it('raises an alarm when a host does not show again what is requested, in whatever way', async () => {
    await sealUpTo(1, 3)
    see(await report())
    const whole = await chainReader(bench.root, bench.chainFile, hostKinds)(0)
    if (whole === null) throw new Error('no report')
    const again = (said: ChainReport | null, after = 0): string[] =>
      checkSeenAgain({
        home,
        host: 'aiops-1',
        keys: trusting(bench.key),
        report: said,
        after,
      }).alarms.map(({ code }) => code)
    expect(
      checkSeenAgain({
        home,
        host: 'aiops-1',
        keys: trusting(bench.key),
        report: whole,
        after: 0,
      }),
    ).toEqual({ alarms: [], next: null })
    expect(again({ ...whole, links: whole.links.slice(1) })).toEqual(['chain_gap'])
    expect(again({ ...whole, until: 0, links: [] })).toEqual(['chain_gap'])
    expect(again({ ...whole, until: 1, links: [] }, 2)).toEqual(['chain_gap'])
    expect(again({ ...whole, chain: '0'.repeat(16) })).toEqual(['chain_replaced'])
    expect(again(null)).toEqual(['chain_truncated'])
    // A page that ends early is a page; the next question goes on from there.
    expect(
      checkSeenAgain({
        home,
        host: 'aiops-1',
        keys: trusting(bench.key),
        report: { ...whole, until: 2, links: whole.links.slice(0, 2) },
        after: 0,
      }),
    ).toEqual({ alarms: [], next: 2 })
  })
})
