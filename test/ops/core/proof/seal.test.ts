import {
  appendFileSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Manifest } from '#shared/proof'
import { statementFile } from '#shared/statement'
import { documentText } from '#ops/core/proof/manifest-text'
import { signDocument } from '#ops/core/trust/signed-document'
import { readChainHead } from '#ops/core/proof/chain-head'
import { pruneBundle } from '#ops/core/proof/prune-bundle'
import { leftUnsealed, sealLeftovers } from '#ops/core/proof/unsealed'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { hostKinds, rememberedBy, verifyChain } from '#ops/core/proof/verify-chain'
import { trusting, newKey, proofBench, runOf, type ProofBench } from './proof-bench.ts'

describe('sealing a bundle', () => {
  let bench: ProofBench
  beforeEach(() => {
    bench = proofBench()
  })
  afterEach(() => bench.remove())
  const keys = () => trusting(bench.key)

  it('lists every file with size and digest, links the bundles by number and digest, and verifies', async () => {
    bench.write('deploy', 1)
    bench.write('doctor', 2)
    const first = await bench.seal('deploy', 1)
    const second = await bench.seal('doctor', 2)
    expect(first.manifest).toMatchObject({
      counter: 1,
      previous: null,
      kind: 'deploy',
      run_id: runOf(1),
      git_head: 'a'.repeat(40),
    })
    expect(first.manifest.files.map(({ path, size }) => [path, size])).toEqual([
      ['attempts/1/verify.log', 13],
      ['build.log', 23],
      ['deploy_result.json', 10],
      ['empty.log', 0],
      ['files.intoto.jsonl', expect.any(Number)],
    ])
    expect(second.manifest).toMatchObject({
      counter: 2,
      previous: first.manifestSha256,
      chain: first.manifest.chain,
    })
    const head = readChainHead(bench.chainFile)
    expect(head).toMatchObject({
      counter: 2,
      head: second.manifestSha256,
      pending: null,
      key_id: bench.key.id,
    })
    const checked = await verifyChain(bench.root, {
      keys: keys(),
      kinds: hostKinds,
      remembered: head === null ? [] : rememberedBy(head, 'chain file'),
    })
    expect(checked).toMatchObject({ state: 'verified', problems: [] })
    expect(checked.bundles).toHaveLength(2)
  })

  it('changes nothing when the same run is sealed again', async () => {
    const dir = bench.write('deploy', 1)
    const first = await bench.seal('deploy', 1)
    const text = readFileSync(join(dir, 'manifest.json'))
    expect(await bench.seal('deploy', 1)).toEqual({ ...first, state: 'unchanged' })
    expect(readFileSync(join(dir, 'manifest.json'))).toEqual(text)
    expect(readChainHead(bench.chainFile)).toMatchObject({ counter: 1 })
  })

  it('never seals over a bundle that was changed after its seal', async () => {
    const dir = bench.write('deploy', 1)
    await bench.seal('deploy', 1)
    appendFileSync(join(dir, 'build.log'), 'more')
    await expect(bench.seal('deploy', 1)).rejects.toMatchObject({
      errorClass: 'proof_broken',
      evidence: [expect.stringContaining('file_size build.log')],
    })
  })

  it.each([
    ['a file that was made longer', 'build.log', 'file_size'],
    ['an empty file that was made longer', 'empty.log', 'file_size'],
    ['a file that was not there', 'core.dump', 'file_extra'],
    ['a file without any manifest', 'core.dump', 'not_sealed'],
  ])('H8 finds 20 GB in %s without reading them', async (_what, file, code) => {
    const dir = bench.write('deploy', 1)
    if (code !== 'not_sealed') await bench.seal('deploy', 1)
    writeFileSync(join(dir, file), '', { flag: 'a' })
    truncateSync(join(dir, file), 20 * 1024 ** 3)
    const began = performance.now()
    const { state, problems } = await verifyBundle(dir, { keys: keys() })
    // Read whole, they would take ten seconds and more.
    expect(performance.now() - began).toBeLessThan(2500)
    expect([state, problems.map((each) => each.code)]).toEqual([
      code === 'not_sealed' ? 'unverified' : 'broken',
      [code],
    ])
  })

  it.each([
    ['no key is there to check', () => new Map(), 'unverified', ['no_key_enrolled']],
    ['an unknown key has signed', () => trusting(newKey()), 'broken', ['unknown_key']],
  ])(
    'H8 reads no 20 GB of a manifest that names their size and that %s',
    async (_what, known, state, codes) => {
      const dir = bench.write('deploy', 1)
      await bench.seal('deploy', 1)
      writeFileSync(join(dir, 'core.dump'), '')
      truncateSync(join(dir, 'core.dump'), 20 * 1024 ** 3)
      const path = join(dir, 'manifest.json')
      const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
      const dump = { path: 'core.dump', size: 20 * 1024 ** 3, sha256: '0'.repeat(64) }
      const { signature: _old, ...content } = manifest
      const forged = {
        ...content,
        files: [...content.files.filter((file) => file.path !== statementFile('files')), dump],
      }
      writeFileSync(path, documentText(signDocument('manifest', forged, newKey())))
      rmSync(join(dir, statementFile('files')))
      const began = performance.now()
      const found = await verifyBundle(dir, { keys: known() })
      expect(performance.now() - began).toBeLessThan(2500)
      expect(found.state).toBe(state)
      expect(found.problems.map(({ code }) => code)).toEqual(expect.arrayContaining(codes))
      expect(found.problems.find(({ file }) => file === 'core.dump')).toMatchObject({
        code: 'no_key_enrolled',
        detail: `it has ${dump.size} bytes, and was not read: no trusted key vouches for its size`,
      })
    },
  )

  it('refuses symbolic links and an empty folder, and leaves dotfiles out', async () => {
    const dir = bench.write('deploy', 1)
    writeFileSync(join(dir, '.build.log.x.tmp'), 'left behind by a crash')
    symlinkSync('/etc/hostname', join(dir, 'host.log'))
    await expect(bench.seal('deploy', 1)).rejects.toMatchObject({
      errorClass: 'proof_broken',
      message: expect.stringContaining('host.log'),
    })
    expect(existsSync(bench.chainFile)).toBe(false)
    rmSync(join(dir, 'host.log'))
    const sealed = await bench.seal('deploy', 1)
    expect(sealed.manifest.files.map(({ path }) => path)).not.toContain('.build.log.x.tmp')
    const empty = bench.write('deploy', 2, { '.only': 'x' })
    await expect(bench.seal('deploy', 2)).rejects.toMatchObject({ errorClass: 'proof_broken' })
    expect(existsSync(join(empty, 'manifest.json'))).toBe(false)
  })

  it('gives twelve sealers at once twelve numbers, none twice', async () => {
    for (let n = 1; n <= 12; n += 1) bench.write('doctor', n)
    const sealed = await Promise.all(
      Array.from({ length: 12 }, (_, index) => bench.seal('doctor', index + 1)),
    )
    expect(sealed.map(({ manifest }) => manifest.counter).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    )
    expect(await verifyChain(bench.root, { keys: keys(), kinds: hostKinds })).toMatchObject({
      state: 'verified',
    })
  })

  it('begins another chain when the key is another, and still remembers where the old one ended', async () => {
    bench.write('deploy', 1)
    const last = bench.write('deploy', 2)
    bench.write('deploy', 3)
    const first = await bench.seal('deploy', 1)
    await bench.seal('deploy', 2)
    const other = newKey()
    const third = await bench.seal('deploy', 3, other)
    expect(third.manifest).toMatchObject({ counter: 1, previous: null })
    expect(third.manifest.chain).not.toBe(first.manifest.chain)
    const head = readChainHead(bench.chainFile)
    const question = {
      keys: trusting(bench.key, other),
      kinds: hostKinds,
      remembered: head === null ? [] : rememberedBy(head, 'chain file'),
    }
    expect(await verifyChain(bench.root, question)).toMatchObject({ state: 'verified' })
    rmSync(last, { recursive: true })
    expect(await verifyChain(bench.root, question)).toMatchObject({
      state: 'broken',
      problems: [expect.objectContaining({ code: 'chain_truncated' })],
    })
  })

  it('is unverified without an enrolled key and before it is sealed, and says which', async () => {
    const dir = bench.write('deploy', 1)
    expect(await verifyBundle(dir, { keys: keys() })).toMatchObject({
      state: 'unverified',
      problems: [{ code: 'not_sealed' }],
    })
    await bench.seal('deploy', 1)
    expect(await verifyBundle(dir, { keys: trusting() })).toMatchObject({
      state: 'unverified',
      problems: [{ code: 'no_key_enrolled' }],
    })
    expect(await verifyBundle(dir, { keys: trusting(newKey()) })).toMatchObject({
      state: 'broken',
      problems: [{ code: 'unknown_key', file: 'manifest.json' }],
    })
  })

  it('deletes files with a signed tombstone, repeatedly, without an alarm', async () => {
    const dir = bench.write('deploy', 1)
    await bench.seal('deploy', 1)
    expect(pruneBundle({ dir, key: bench.key, drop: ({ path }) => path === 'build.log' })).toEqual([
      'build.log',
    ])
    expect(pruneBundle({ dir, key: bench.key, drop: ({ path }) => path.endsWith('.log') })).toEqual(
      ['attempts/1/verify.log', 'build.log', 'empty.log'],
    )
    expect(existsSync(join(dir, 'attempts/1/verify.log'))).toBe(false)
    expect(await verifyBundle(dir, { keys: keys() })).toMatchObject({
      state: 'verified',
      pruned: 3,
      files: 5,
    })
  })

  it('finds finished runs that were left unsealed, and only those', async () => {
    const document = {
      schema_version: 1,
      run_id: runOf(2),
      overall: 'FAIL',
      step_failed: null,
      error_class: 'cancelled',
      next_auto_fix: 'start_again',
      git_head: 'b'.repeat(40),
      git_tree: null,
      started_at: '2026-11-01T10:00:00.000Z',
      finished_at: '2026-11-01T10:00:01.000Z',
      steps: [],
      artifacts: {},
    }
    bench.write('deploy', 1)
    await bench.seal('deploy', 1)
    bench.write('deploy', 2, { 'deploy_result.json': JSON.stringify(document) })
    bench.write('deploy', 3, { 'build.log': 'still running' })
    bench.write('deploy', 4, {
      'deploy_result.json': JSON.stringify({ ...document, run_id: runOf(4) }),
    })
    expect(leftUnsealed(bench.root, hostKinds)).toEqual([
      expect.objectContaining({ runId: runOf(2), kind: 'deploy', gitHead: 'b'.repeat(40) }),
      expect.objectContaining({ runId: runOf(4) }),
    ])
    const seal = () =>
      sealLeftovers({
        root: bench.root,
        kinds: hostKinds,
        chainFile: bench.chainFile,
        key: bench.key,
        except: new Set([runOf(4)]),
      })
    expect(await seal()).toEqual({ sealed: [runOf(2)], failed: [] })
    expect(await seal()).toEqual({ sealed: [], failed: [] })
    expect(
      await verifyBundle(join(bench.root, 'deploy', runOf(2)), { keys: keys() }),
    ).toMatchObject({ state: 'verified', counter: 2 })
  })
})
