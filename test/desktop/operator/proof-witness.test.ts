import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BundleKind } from '#shared/proof'
import type { Input, Output } from '#shared/bridge'
import { sha256Of } from '#ops/base/sha256'
import { writeJson } from '#ops/base/files/json-file'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths, laptopProofPaths } from '#ops/base/paths/proof-paths'
import { pruneBundle } from '#ops/core/proof/prune-bundle'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { trustHostKey, trustShipKey } from '#ops/core/proof/witness-alarms'
import { openEnvelope } from '#ops/core/trust/envelope'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { newKey, trusting } from '../../ops/core/proof/proof-bench.ts'
import { exportedRun } from '../../support/exported-run.ts'
import { startHostd, testHost, type TestHost, type TestHostd } from '../../support/hostd.ts'
import { operatorBench, until, type OperatorBench } from '../../support/operator-bench.ts'

const idOf = (n: number): string =>
  `20261101T${String(100000 + n)}Z-${n.toString(16).padStart(8, '0')}`

let host: TestHost
let hostd: TestHostd
let bench: OperatorBench
beforeEach(async () => {
  host = testHost()
  hostd = await startHostd(host)
  bench = operatorBench()
  await seal(1, 3)
  await bench.call('settings.set_host', { name: 'aiops-1', url: hostd.url, token: host.token })
  await until(
    'HQ has witnessed the host',
    async () => (await list()).witnesses[0]?.seen?.counter === 3,
  )
  // The look that saw it goes on with what it saw before: a test that changed the chain under it would be seen half
  // done.
  await bench.call('proofs.check', {})
})
afterEach(async () => {
  await bench.remove()
  await hostd.kill()
  await host.remove()
})

const dirOf = (n: number, kind: BundleKind = 'doctor'): string =>
  join(host.paths.artifacts, kind, idOf(n))
const seal = async (from: number, to: number, kind: BundleKind = 'doctor'): Promise<void> => {
  const places = hostProofPaths(host.paths)
  for (let n = from; n <= to; n += 1) {
    writeJson(join(dirOf(n, kind), `${kind}.json`), { run: n })
    writeFileSync(join(dirOf(n, kind), 'run.log'), `log of ${n}\n`)
    await sealBundle({
      dir: dirOf(n, kind),
      kind,
      runId: idOf(n),
      chainFile: places.chainFile,
      key: await proofKey(places),
      gitHead: null,
      gitTree: null,
    })
  }
}
const list = (): Promise<Output<'proofs.list'>> => bench.call('proofs.list', {})
/** What is wrong after HQ has looked at everything. */
const alarms = async (): Promise<
  { code: string; run_id: string | null; counter: number | null; detail: string }[]
> => {
  await bench.call('proofs.check', {})
  return (await list()).witnesses.flatMap(({ open }) => open)
}
const backup = (): { restore(): void } => {
  const copy = mkdtempSync(join(tmpdir(), 'backup-'))
  for (const part of ['artifacts', 'state', 'etc'] as const)
    cpSync(host.paths[part], join(copy, part), {
      recursive: true,
      filter: (path) => !path.includes('hostd') && !path.includes('locks'),
    })
  return {
    restore: () => {
      for (const part of ['artifacts', 'state', 'etc'] as const) {
        for (const name of ['doctor', 'deploy', 'proof', 'keys'])
          rmSync(join(host.paths[part], name), { recursive: true, force: true })
        cpSync(join(copy, part), host.paths[part], { recursive: true, force: true })
      }
      rmSync(copy, { recursive: true, force: true })
    },
  }
}

describe('the laptop as witness of a host', () => {
  it('remembers each bundle when it sees it, follows the chain, and raises no alarm over signed pruning', async () => {
    await seal(4, 5, 'deploy')
    expect(await alarms()).toEqual([])
    const { bundles, witnesses, host: of } = await list()
    expect(
      bundles.map(({ kind, run_id, host: found, witnessed }) => [
        kind,
        run_id,
        found?.state,
        witnessed?.counter,
        witnessed?.same,
      ]),
    ).toEqual(
      [5, 4, 3, 2, 1].map((n) => [n > 3 ? 'deploy' : 'doctor', idOf(n), 'verified', n, true]),
    )
    expect(witnesses).toMatchObject([
      { id: 'aiops-1', place: 'host', seen: { counter: 5 }, problem: null, open: [] },
    ])
    expect(of).toMatchObject({ name: 'aiops-1', detail: null })
    const key = await proofKey(hostProofPaths(host.paths))
    expect(pruneBundle({ dir: dirOf(2), key, drop: ({ path }) => path.endsWith('.log') })).toEqual([
      'run.log',
    ])
    expect(await alarms()).toEqual([])
    expect((await list()).bundles.find(({ run_id }) => run_id === idOf(2))).toMatchObject({
      host: { state: 'verified', pruned: 1 },
      witnessed: { pruned: 1, same: true },
    })
  })

  it('raises an alarm over a removed bundle, also after its return, until a reason is recorded', async () => {
    const away = `${dirOf(2)}.away`
    cpSync(dirOf(2), away, { recursive: true })
    rmSync(dirOf(2), { recursive: true })
    const [alarm, ...more] = await alarms()
    expect(more).toEqual([])
    expect(alarm).toMatchObject({ code: 'chain_gap', run_id: idOf(2), counter: 2 })
    expect((await bench.call('overview.get', {})).proof_alarms).toEqual([
      { who: 'aiops-1', detail: alarm?.detail },
    ])
    cpSync(away, dirOf(2), { recursive: true })
    expect(await alarms()).toMatchObject([{ code: 'chain_gap' }])
    expect(
      (await bench.refused('proofs.acknowledge', { id: 'aiops-1', reason: ' ' })).error_class,
    ).toBe('invalid_request')
    await bench.call('proofs.acknowledge', { id: 'aiops-1', reason: 'The disk was moved' })
    expect(await alarms()).toEqual([])
    expect((await list()).witnesses[0]?.acknowledged).toMatchObject([
      { reason: 'The disk was moved', alarms: [{ code: 'chain_gap' }] },
    ])
    expect(
      (await bench.refused('proofs.acknowledge', { id: 'aiops-1', reason: 'again' })).error_class,
    ).toBe('invalid_request')
    rmSync(dirOf(1), { recursive: true })
    expect(await alarms()).toMatchObject([{ code: 'chain_gap', counter: 1 }])
  })

  it('raises an alarm over a restored backup, and continues from it once acknowledged', async () => {
    const before = backup()
    await seal(4, 6)
    expect(await alarms()).toEqual([])
    before.restore()
    expect(await alarms()).toMatchObject([
      { code: 'chain_truncated', detail: 'aiops-1 had 6 sealed bundles and now shows 3' },
    ])
    await bench.call('proofs.acknowledge', {
      id: 'aiops-1',
      reason: 'Restored from backup on purpose',
    })
    await seal(7, 8)
    expect(await alarms()).toEqual([])
    expect((await list()).witnesses[0]?.seen?.counter).toBe(5)
  })

  it('raises an alarm at another key of the host, names both, and trusts it once acknowledged', async () => {
    const old = (await list()).witnesses[0]?.key_id
    rmSync(hostProofPaths(host.paths).keyFile)
    await seal(4, 5)
    const found = await alarms()
    expect(found.map(({ code }) => code)).toEqual(['key_changed', 'chain_replaced'])
    const next = (await proofKey(hostProofPaths(host.paths))).id
    expect(found[0]?.detail).toContain(next)
    expect((await list()).witnesses[0]).toMatchObject({
      key_id: old,
      shown_key_id: next,
      seen: { counter: 3 },
    })
    // Who saw less, or another key, has not accepted this one.
    for (const saw of [
      { open: 1, shown_key_id: next },
      { open: 2, shown_key_id: old ?? null },
    ])
      expect(
        (
          await bench.refused('proofs.acknowledge', {
            id: 'aiops-1',
            reason: 'The disk was moved',
            saw,
          })
        ).error_class,
      ).toBe('invalid_request')
    expect((await list()).witnesses[0]).toMatchObject({ key_id: old, open: found })
    await bench.call('proofs.acknowledge', {
      id: 'aiops-1',
      reason: 'The host was installed again',
      saw: { open: 2, shown_key_id: next },
    })
    await seal(6, 6)
    expect(await alarms()).toEqual([])
    expect((await list()).witnesses[0]).toMatchObject({ key_id: next, seen: { counter: 3 } })
  })

  it("raises an alarm over a bundle that was changed and sealed again with the host's own key", async () => {
    const places = hostProofPaths(host.paths)
    for (const n of [1, 2, 3]) rmSync(join(dirOf(n), 'manifest.json'))
    rmSync(places.chainFile)
    writeJson(join(dirOf(2), 'doctor.json'), { run: 'another' })
    await seal(1, 1)
    await seal(3, 3)
    expect(await alarms()).toMatchObject([{ code: 'chain_replaced' }])
  })

  it('shows what it knows while the host is unreachable or its own memory damaged, and says so', async () => {
    await list()
    const places = join(bench.home, 'witness')
    await hostd.stop()
    await until(
      'HQ sees that it is away',
      async () => (await bench.call('overview.get', {})).connection.state === 'offline',
    )
    const { bundles, host: of, witnesses } = await list()
    expect(of?.detail).toContain('cannot be reached')
    expect(
      bundles.map(({ run_id, host: found, witnessed }) => [
        run_id,
        found?.state,
        witnessed?.counter,
      ]),
    ).toEqual([3, 2, 1].map((n) => [idOf(n), 'verified', n]))
    expect(witnesses[0]).toMatchObject({ seen: { counter: 3 }, open: [] })
    writeFileSync(join(places, 'aiops-1.json'), '{')
    hostd = await startHostd(host, { port: hostd.port })
    await until(
      'HQ sees it again',
      async () => (await bench.call('overview.get', {})).connection.state === 'online',
    )
    expect(await alarms()).toMatchObject([{ code: 'witness_damaged' }])
    await bench.call('proofs.acknowledge', { id: 'aiops-1', reason: 'A full disk' })
    expect(await alarms()).toEqual([])
    expect(readdirSync(places)).toContain('aiops-1.json.damaged')
  })

  it('U2 names what differs in a bundle of the host, both digests, and when it was last whole', async () => {
    const place = { side: 'host', folder: 'doctor', run_id: idOf(2) } as const
    const whole = await bench.call('proofs.evidence', place)
    expect(whole).toMatchObject({ verification: { state: 'verified' }, broken_at: null })
    expect(whole.files.map(({ path, problem }) => [path, problem])).toEqual([
      ['doctor.json', null],
      ['files.intoto.jsonl', null],
      ['manifest.json', null],
      ['run.log', null],
    ])
    writeFileSync(join(dirOf(2), 'run.log'), 'log of 9\n')
    rmSync(join(dirOf(2), 'doctor.json'))
    writeFileSync(join(dirOf(2), 'added (1).txt'), 'new')
    const broken = await bench.call('proofs.evidence', place)
    expect(broken.verification).toMatchObject({ state: 'broken', counter: 2 })
    expect(broken.broken_at).not.toBeNull()
    expect(broken.whole_at).toBe(whole.whole_at)
    const file = (path: string) => broken.files.find((each) => each.path === path)
    expect(file('run.log')).toEqual({
      path: 'run.log',
      size: 9,
      sealed: { size: 9, sha256: sha256Of('log of 2\n') },
      found_sha256: sha256Of('log of 9\n'),
      problem: 'file_digest',
    })
    expect(file('doctor.json')).toMatchObject({ size: null, problem: 'file_missing' })
    expect(file('added (1).txt')).toMatchObject({ size: 3, sealed: null, problem: 'file_extra' })
    const { base64 } = await bench.call('proofs.file', { ...place, path: 'added (1).txt' })
    expect(Buffer.from(base64, 'base64').toString()).toBe('new')
    // An id that is the last of its second, and a run that the host does not have.
    for (const run_id of [idOf(77), '20261101T100002Z-ffffffff'])
      expect(await bench.refused('proofs.evidence', { ...place, run_id })).toMatchObject({
        error_class: 'not_found',
      })
    expect(await bench.refused('proofs.evidence', { ...place, side: 'laptop' })).toMatchObject({
      error_class: 'not_found',
    })
  })

  it('exports the statements of a proof, verified again on the laptop, and with a deploy its reviews', async () => {
    const doctor = { side: 'host', folder: 'doctor', run_id: idOf(2) } as const
    const linesOf = async (place: Input<'proofs.export'>): Promise<string[]> => {
      const { text } = await bench.call('proofs.export', place)
      return text.trimEnd().split('\n')
    }
    const places = hostProofPaths(host.paths)
    const hostKey = await proofKey(places)
    const [files = '', keys, ...more] = await linesOf(doctor)
    expect(openEnvelope(files, trusting(hostKey))).toMatchObject({ state: 'verified' })
    expect([keys, more]).toEqual([expect.stringContaining('urn:openclaw-hq:keys:v1'), []])

    const made = await exportedRun()
    const deploy = { side: 'host', folder: 'deploy', run_id: idOf(2) } as const
    const dir = dirOf(2, 'deploy')
    mkdirSync(dir, { recursive: true })
    for (const [name, text] of Object.entries(made.deployFiles))
      writeFileSync(join(dir, name), text)
    await sealBundle({
      dir,
      kind: 'deploy',
      runId: idOf(2),
      chainFile: places.chainFile,
      key: hostKey,
      gitHead: null,
      gitTree: null,
    })
    expect(await linesOf(deploy)).toHaveLength(3 + 1)
    await bench.call('settings.set_repository', { path: made.repo })
    // This laptop does not know the key: it cannot say that they are genuine.
    trustShipKey(bench.home, toTrustedKey(newKey()))
    expect(await linesOf(deploy)).toHaveLength(3 + 1)
    trustShipKey(bench.home, toTrustedKey(made.shipKey))
    expect(await linesOf(deploy)).toHaveLength(5 + 1)

    const refused = async (place: unknown): Promise<string> =>
      (await bench.refused('proofs.export', place)).error_class
    expect(await refused({ ...doctor, folder: 'runs' })).toBe('nothing_to_export')
    expect(await refused({ ...doctor, run_id: idOf(77) })).toBe('not_found')
    expect(await refused({ ...doctor, side: 'laptop' })).toBe('not_found')
    trustHostKey(bench.home, 'aiops-1', toTrustedKey(newKey()))
    expect(await refused(doctor)).toBe('proof_broken')
    appendFileSync(join(dirOf(2), 'run.log'), '.')
    expect(await hostd.request(`/api/proof/export?kind=doctor&run_id=${idOf(2)}`)).toMatchObject({
      body: { error_class: 'proof_broken' },
    })
    made.remove()
  })

  it('serves the chain in pages behind the token, empty when nothing is new, and checks requests', async () => {
    await seal(4, 60)
    expect(await hostd.request('/api/proof/chain?after=0', { token: null })).toMatchObject({
      status: 403,
    })
    expect(await hostd.request('/api/proof/chain?after=-1')).toMatchObject({ status: 400 })
    expect(await hostd.request('/api/proof/chain?from=1')).toMatchObject({ status: 400 })
    expect((await hostd.request('/api/proof/chain')).body).toMatchObject({
      report: { counter: 60, until: 50 },
    })
    const { body } = await hostd.request('/api/proof/chain?after=50')
    expect(
      (body['report'] as { links: { counter: number }[] }).links.map(({ counter }) => counter),
    ).toEqual([51, 52, 53, 54, 55, 56, 57, 58, 59, 60])
    expect((await hostd.request('/api/proof/chain?after=60')).body).toMatchObject({
      report: { counter: 60, until: 60, links: [] },
    })
    const first = (await hostd.request('/api/proof/bundles?limit=40')).body
    const second = (
      await hostd.request(`/api/proof/bundles?limit=40&cursor=${String(first['next_cursor'])}`)
    ).body
    expect(
      [
        ...(first['bundles'] as { run_id: string }[]),
        ...(second['bundles'] as { run_id: string }[]),
      ].map(({ run_id }) => run_id),
    ).toEqual(Array.from({ length: 60 }, (_, at) => idOf(60 - at)))
    expect(second['next_cursor']).toBeNull()
  })
})

describe('the laptop as witness of its own ships', () => {
  const newRepository = (): string => {
    const repository = mkdtempSync(join(bench.home, 'repo-'))
    execFileSync('git', ['init', '-q', repository])
    return repository
  }
  const sealShip = async (repository: string, n: number): Promise<void> => {
    const places = laptopProofPaths(bench.home, repository)
    const dir = join(repository, 'artifacts', 'ship', idOf(n))
    writeJson(join(dir, 'ship_result.json'), { run: n })
    await sealBundle({
      dir,
      kind: 'ship',
      runId: idOf(n),
      chainFile: places.chainFile,
      key: await proofKey(places),
      gitHead: null,
      gitTree: null,
    })
  }

  it('has witnessed each bundle that the same answer calls verified, also the very first', async () => {
    const repository = newRepository()
    await bench.call('settings.set_repository', { path: repository })
    expect(await alarms()).toEqual([])
    const ofShips = async (): Promise<unknown[]> => {
      const { witnesses, bundles } = await list()
      return [
        witnesses.find(({ place }) => place === 'laptop')?.seen?.counter ?? 'nothing',
        ...bundles.flatMap(({ laptop, witnessed }) =>
          laptop === null ? [] : [[laptop.state, witnessed?.counter]],
        ),
      ]
    }
    expect(await ofShips()).toEqual(['nothing'])
    await sealShip(repository, 1)
    expect(await ofShips()).toEqual([1, ['verified', 1]])
    const place = { side: 'laptop', folder: 'ship', run_id: idOf(1) } as const
    const { text } = await bench.call('proofs.export', place)
    expect(text.split('\n').map((line) => line.slice(0, 13))).toEqual([
      '{"payloadType',
      '{"type":"urn:',
      '',
    ])
    await seal(4, 4)
    const { witnesses, bundles } = await list()
    expect([witnesses[0]?.seen?.counter, bundles[0]?.host?.state, bundles[0]?.witnessed]).toEqual([
      4,
      'verified',
      expect.objectContaining({ counter: 4, same: true }),
    ])
  })

  it('raises an alarm when the proof of a ship is missing or replaced', async () => {
    const repository = newRepository()
    const places = laptopProofPaths(bench.home, repository)
    const shipDir = (n: number): string => join(repository, 'artifacts', 'ship', idOf(n))
    for (const n of [1, 2, 3]) await sealShip(repository, n)
    await bench.call('settings.set_repository', { path: repository })
    expect(await alarms()).toEqual([])
    const rows = (await list()).bundles.filter(({ kind }) => kind === 'ship')
    expect(
      rows.map(({ laptop, witnessed }) => [laptop?.state, witnessed?.counter, witnessed?.same]),
    ).toEqual([
      ['verified', 3, true],
      ['verified', 2, true],
      ['verified', 1, true],
    ])
    writeFileSync(join(shipDir(3), 'ship_result.json'), '{}')
    expect(
      (await list()).bundles.find(({ run_id, kind }) => kind === 'ship' && run_id === idOf(3))
        ?.laptop,
    ).toMatchObject({
      state: 'broken',
      problems: [{ code: 'file_size', file: 'ship_result.json' }],
    })
    rmSync(shipDir(1), { recursive: true })
    expect(await alarms()).toMatchObject([{ code: 'chain_gap', run_id: idOf(1) }])
    // A ship key never speaks for a host.
    expect(readFileSync(join(bench.home, 'host_keys.json'), 'utf8')).not.toContain(
      (await proofKey(places)).id,
    )
    rmSync(places.keyFile)
    rmSync(places.publicKeyFile)
    await proofKey(places)
    await bench.call('proofs.acknowledge', {
      id: (await list()).witnesses.find(({ place }) => place === 'laptop')?.id ?? '',
      reason: 'Looked at it',
    })
    expect(await alarms()).toMatchObject([{ code: 'key_changed' }])
  })
})
