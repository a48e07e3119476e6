import { readFileSync, utimesSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { cachedVerifier } from '#ops/core/proof/cached-verify'
import { trusting, proofBench, type ProofBench } from './proof-bench.ts'

describe('a verifier that is called repeatedly', () => {
  let bench: ProofBench
  beforeEach(() => {
    bench = proofBench()
  })
  afterEach(() => bench.remove())

  it('gives the same answer until something changes, even with size and time of the file put back', async () => {
    const dir = bench.write('deploy', 1)
    await bench.seal('deploy', 1)
    let keys: TrustedKeys = trusting()
    const verify = cachedVerifier(() => keys)
    expect(await verify(dir)).toMatchObject({ state: 'unverified' })
    keys = trusting(bench.key)
    const first = await verify(dir)
    expect(first).toMatchObject({ state: 'verified' })
    expect(await verify(dir)).toBe(first)
    const path = join(dir, 'build.log')
    const { atime, mtime } = statSync(path)
    writeFileSync(path, readFileSync(path, 'utf8').replace('one', 'two'))
    utimesSync(path, atime, mtime)
    expect(await verify(dir)).toMatchObject({
      state: 'broken',
      problems: [{ code: 'file_digest', file: 'build.log' }],
    })
  })
})
