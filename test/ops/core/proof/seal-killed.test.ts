import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { newKeyPem, signingKeyFromPem } from '#ops/core/trust/signing-key'
import { readChainHead } from '#ops/core/proof/chain-head'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { hostKinds, rememberedBy, verifyChain } from '#ops/core/proof/verify-chain'
import { trusting, runOf } from './proof-bench.ts'

const node = resolve('node_modules/.bin/node')
const child = resolve('test/ops/core/proof/seal-child.ts')
const preload = pathToFileURL(resolve('test/ops/core/proof/die-at.mjs')).href

/** A chain of one sealed bundle, and two that are not sealed yet. */
async function scene() {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'seal-')))
  const [root, chainFile, keyFile, pem] = [
    join(base, 'artifacts'),
    join(base, 'state', 'chain.json'),
    join(base, 'key.pem'),
    newKeyPem(),
  ]
  writeFileSync(keyFile, pem)
  const key = signingKeyFromPem(pem, keyFile)
  const dir = (n: number): string => join(root, 'deploy', runOf(n))
  for (const n of [1, 2, 3]) {
    mkdirSync(dir(n), { recursive: true })
    writeFileSync(join(dir(n), 'deploy_result.json'), `{"n":${n}}`)
  }
  const seal = (n: number) =>
    sealBundle({
      dir: dir(n),
      kind: 'deploy',
      runId: runOf(n),
      chainFile,
      key,
      gitHead: null,
      gitTree: null,
    })
  await seal(1)
  return {
    base,
    root,
    chainFile,
    key,
    dir,
    seal,
    argv: [child, dir(2), runOf(2), chainFile, keyFile],
  }
}

/** What must be true however a seal of bundle 2 ended: it is sealed or not, and the chain goes on without a scar. */
async function expectWholeChain(
  { root, chainFile, key, dir, seal }: Awaited<ReturnType<typeof scene>>,
  point: string,
  next: 2 | 3,
): Promise<boolean> {
  const keys = trusting(key)
  const left = await verifyBundle(dir(2), { keys })
  expect(left.state, point).toBe(
    existsSync(join(dir(2), 'manifest.json')) ? 'verified' : 'unverified',
  )
  const remembered = () => {
    const head = readChainHead(chainFile)
    return head === null ? [] : rememberedBy(head, 'the chain file')
  }
  const before = await verifyChain(root, { keys, kinds: hostKinds, remembered: remembered() })
  expect(
    before.problems.filter(({ code }) => code !== 'not_sealed'),
    point,
  ).toEqual([])
  // Whichever is sealed next, the interrupted one or another: no number is lost or given twice.
  for (const n of next === 2 ? [2, 3] : [3, 2]) await seal(n)
  const after = await verifyChain(root, { keys, kinds: hostKinds, remembered: remembered() })
  expect(after, point).toMatchObject({ state: 'verified', problems: [] })
  expect(new Set(after.bundles.map(({ counter }) => counter)), point).toEqual(new Set([1, 2, 3]))
  return left.state === 'verified'
}

describe('a seal that is killed', () => {
  it('before any change to the disk leaves a bundle that is sealed or is not, and a chain that goes on', async () => {
    const outcomes = { sealed: 0, unsealed: 0 }
    for (let point = 1; ; point += 1) {
      const at = await scene()
      try {
        const ended = await execa(node, ['--import', preload, ...at.argv], {
          env: { DIE_AT: String(point) },
          reject: false,
        })
        const wasSealed = await expectWholeChain(
          at,
          `before change ${point}`,
          point % 2 === 0 ? 2 : 3,
        )
        if (ended.signal !== 'SIGKILL') {
          expect(ended).toMatchObject({ exitCode: 0, stdout: 'sealed' })
          break
        }
        outcomes[wasSealed ? 'sealed' : 'unsealed'] += 1
      } finally {
        rmSync(at.base, { recursive: true, force: true })
      }
    }
    // Three files are written whole, each with a write, two syncs and a rename.
    expect(outcomes.sealed + outcomes.unsealed).toBeGreaterThanOrEqual(12)
    expect(outcomes.sealed).toBeGreaterThan(3)
    expect(outcomes.unsealed).toBeGreaterThan(3)
  })

  it('at a random moment, for 20 seeds, does the same', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const at = await scene()
      try {
        const running = execa(node, at.argv, { reject: false })
        // From the start of the program to a little after its usual end.
        const timer = setTimeout(() => running.kill('SIGKILL'), 60 + seed * 20)
        await running
        clearTimeout(timer)
        await expectWholeChain(at, `seed ${seed}`, seed % 2 === 0 ? 2 : 3)
      } finally {
        rmSync(at.base, { recursive: true, force: true })
      }
    }
  })

  it('by two processes at once gives each its own number', async () => {
    const at = await scene()
    try {
      const third = at.argv.map((arg) => arg.replaceAll(runOf(2), runOf(3)))
      const both = await Promise.all([execa(node, at.argv), execa(node, third)])
      expect(both.map(({ stdout }) => stdout)).toEqual(['sealed', 'sealed'])
      expect(
        await verifyChain(at.root, { keys: trusting(at.key), kinds: hostKinds }),
      ).toMatchObject({ state: 'verified' })
      expect(JSON.parse(readFileSync(at.chainFile, 'utf8'))).toMatchObject({
        counter: 3,
        pending: null,
      })
    } finally {
      rmSync(at.base, { recursive: true, force: true })
    }
  })
})
