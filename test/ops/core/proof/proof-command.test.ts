import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths, laptopProofPaths } from '#ops/base/paths/proof-paths'
import { tombstoneText } from '#ops/core/proof/prune-bundle'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { verifyFiles } from '#ops/core/proof/verify-bundle'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { hostPaths } from '#ops/base/paths/paths'
import { chainVerification, type BundleKind } from '#shared/proof'
import { runOf } from './proof-bench.ts'

describe('hq proof verify', () => {
  let base: string
  let env: Record<string, string>
  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'hq-proof-')))
    env = {
      PATH: process.env['PATH'] ?? '',
      OPENCLAW_HQ_INSTALL: resolve('.'),
      OPENCLAW_ROOT: join(base, 'root'),
      OPENCLAW_ETC: join(base, 'etc'),
      OPENCLAW_STATE: join(base, 'state'),
      OPENCLAW_HQ_HOME: join(base, 'home'),
    }
    mkdirSync(join(base, 'root'))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  const proof = (...args: string[]) =>
    execa(resolve('node_modules/.bin/node'), [resolve('ops/hq.mjs'), 'proof', ...args], {
      env,
      extendEnv: false,
      reject: false,
      cwd: base,
    })
  const hq = (...args: string[]) => proof('verify', ...args)
  const write = (root: string, kind: BundleKind, n: number): string => {
    const dir = join(root, kind, runOf(n))
    for (const [path, text] of [
      [`${kind}_result.json`, `{"n":${n}}`],
      ['attempts/1/build.log', 'built\n'],
    ] as const) {
      mkdirSync(dirname(join(dir, path)), { recursive: true })
      writeFileSync(join(dir, path), text)
    }
    return dir
  }
  async function sealOnHost(kind: BundleKind, n: number): Promise<string> {
    const paths = hostPaths(env)
    const places = hostProofPaths(paths)
    const dir = write(paths.artifacts, kind, n)
    await sealBundle({
      dir,
      kind,
      runId: runOf(n),
      chainFile: places.chainFile,
      key: await proofKey(places),
      gitHead: null,
      gitTree: null,
    })
    return dir
  }

  it('export writes the statements of a run into one new file, and of a broken proof none', async () => {
    const dir = await sealOnHost('doctor', 1)
    const file = join(base, 'run.intoto.jsonl')
    const done = await proof('export', runOf(1), '--out', file, '--json')
    expect([done.exitCode, done.stderr]).toEqual([0, ''])
    expect(JSON.parse(done.stdout)).toMatchObject({
      run_id: runOf(1),
      file,
      statements: [
        { from: 'files.intoto.jsonl', predicate_type: 'urn:openclaw-hq:sealed-files:v1' },
      ],
    })
    const text = readFileSync(file, 'utf8')
    expect(text.split('\n')[0]).toBe(readFileSync(join(dir, 'files.intoto.jsonl'), 'utf8'))
    expect((await proof('export', runOf(1), '--out', file)).exitCode).toBe(64)
    expect((await proof('export', '../1')).exitCode).toBe(64)
    appendFileSync(join(dir, 'attempts/1/build.log'), 'x')
    const broken = await proof('export', runOf(1))
    expect([broken.exitCode, broken.stderr]).toEqual([1, expect.stringContaining('file_size')])
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(readdirSync(base)).not.toContain(`${runOf(1)}.intoto.jsonl`)
  })

  it('says verified with exit 0, for a run id, for a folder and for the whole host', async () => {
    const dir = await sealOnHost('deploy', 1)
    await sealOnHost('doctor', 2)
    for (const target of [runOf(1), dir, join(base, 'root', 'artifacts')]) {
      const { stdout, exitCode } = await hq(target)
      expect(exitCode, stdout).toBe(0)
      expect(stdout).toMatch(/^verified +deploy .*\n(.*\n)*verified \(\d bundles?, 0 problems\)$/)
    }
    const { stdout } = await hq(runOf(1), '--json')
    expect(chainVerification.parse(JSON.parse(stdout))).toMatchObject({
      state: 'verified',
      bundles: [{ run_id: runOf(1), counter: 1, files: 3 }],
    })
  })

  it('names what is wrong and where with exit 1, also when another bundle of the chain is gone', async () => {
    const first = await sealOnHost('deploy', 1)
    await sealOnHost('deploy', 2)
    appendFileSync(join(first, 'attempts/1/build.log'), 'and more')
    const changed = await hq(runOf(1))
    expect(changed).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('file_size  "attempts/1/build.log": it has 14 bytes, not 6'),
    })
    rmSync(first, { recursive: true })
    const gap = await hq(runOf(2), '--json')
    expect(gap.exitCode).toBe(1)
    expect(JSON.parse(gap.stdout)).toMatchObject({
      state: 'broken',
      problems: [{ code: 'chain_gap', run_id: runOf(2) }],
    })
  })

  it('notices that a whole host was emptied, by its chain file', async () => {
    await sealOnHost('deploy', 1)
    rmSync(join(base, 'root', 'artifacts', 'deploy'), { recursive: true })
    expect(await hq(join(base, 'root', 'artifacts'))).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('chain_truncated'),
    })
  })

  it('does not take the key of a host for the key of a laptop', async () => {
    const paths = hostPaths(env)
    const dir = write(paths.artifacts, 'ship', 1)
    await sealBundle({
      dir,
      kind: 'ship',
      runId: runOf(1),
      chainFile: join(base, 'forged.json'),
      key: await proofKey(hostProofPaths(paths)),
      gitHead: null,
      gitTree: null,
    })
    await proofKey(laptopProofPaths(join(base, 'home'), base))
    expect(await hq(dir)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('unknown_key'),
    })
  })

  it('says unverified with exit 1 for a bundle that was never sealed', async () => {
    const dir = write(join(base, 'root', 'artifacts'), 'deploy', 1)
    expect(await hq(dir)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(
        /^unverified deploy[^]*not_sealed: it has no manifest\.json\nunverified/,
      ),
    })
  })

  it('B11 ends with 64 when there is nothing of that name', async () => {
    symlinkSync('loop', join(base, 'loop'))
    // Names that no file can have, and paths that lead through a file or in a circle.
    const odd = [
      'x'.repeat(300),
      'x/'.repeat(5000),
      join(base, 'loop'),
      join(process.execPath, 'x'),
    ]
    for (const target of [runOf(1), join(base, 'nowhere'), base, ...odd])
      expect(await hq(target)).toMatchObject({
        exitCode: 64,
        stdout: '',
        stderr: expect.stringContaining('There is no proof'),
      })
    expect(await hq()).toMatchObject({ exitCode: 64 })
  })

  it('verifies a ship bundle on a host as a copy, signed on the laptop, without its largest files', async () => {
    const repo = join(base, 'repo')
    const places = laptopProofPaths(join(base, 'home'), repo)
    const key = await proofKey(places)
    for (const n of [1, 2, 3]) {
      const dir = write(join(repo, 'artifacts'), 'ship', n)
      await sealBundle({
        dir,
        kind: 'ship',
        runId: runOf(n),
        chainFile: places.chainFile,
        key,
        gitHead: 'a'.repeat(40),
        gitTree: null,
      })
    }
    expect(await hq(join(repo, 'artifacts'))).toMatchObject({ exitCode: 0 })
    expect(await hq(runOf(2))).toMatchObject({ exitCode: 64 })
    writeFileSync(join(base, 'home', 'settings.json'), JSON.stringify({ repository: repo }))
    expect(await hq(runOf(2))).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`verified   ship ${runOf(2)}`),
    })

    const dir = join(repo, 'artifacts', 'ship', runOf(3))
    const text = tombstoneText(dir, { gone: ['attempts/1/build.log'], reason: 'not_uploaded', key })
    const upload = new Map(
      readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => [name, new Uint8Array(readFileSync(join(dir, name)))]),
    )
    const keys = trustKeys([toTrustedKey(key)], 'trust.json')
    expect(verifyFiles({ kind: 'ship', runId: runOf(3), files: upload }, keys)).toMatchObject({
      state: 'broken',
      problems: [{ code: 'file_missing' }],
    })
    upload.set('tombstone.json', Buffer.from(text ?? ''))
    expect(verifyFiles({ kind: 'ship', runId: runOf(3), files: upload }, keys)).toMatchObject({
      state: 'verified',
      pruned: 1,
    })
    expect(verifyFiles({ kind: 'ship', runId: runOf(2), files: upload }, keys)).toMatchObject({
      state: 'broken',
    })

    const copy = join(base, 'root', 'artifacts', 'ship', runOf(3))
    mkdirSync(copy, { recursive: true })
    for (const [name, bytes] of upload) writeFileSync(join(copy, name), bytes)
    mkdirSync(join(base, 'etc'))
    writeFileSync(
      join(base, 'etc', 'trust.json'),
      JSON.stringify({
        schema_version: 1,
        baseline: 'a'.repeat(40),
        review_providers: [],
        keys: [toTrustedKey(key)],
      }),
    )
    expect(await hq(join(base, 'root', 'artifacts'))).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('1 deleted by retention'),
    })
  })
})
