import { appendFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Input } from '#shared/bridge'
import { sha256Of } from '#ops/base/sha256'
import { writeJson } from '#ops/base/files/json-file'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { pruneBundle } from '#ops/core/proof/prune-bundle'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { trustHostKey, trustShipKey } from '#ops/core/proof/witness-alarms'
import { openEnvelope } from '#ops/core/trust/envelope'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { newKey, trusting } from '../../ops/core/proof/proof-bench.ts'
import { exportedRun } from '../../support/exported-run.ts'
import { hostPeer, json } from '../../support/host-peer.ts'
import { startHostd } from '../../support/hostd.ts'
import { until } from '../../support/operator-bench.ts'
import { idOf, witnessedHost } from './witness-bench.ts'

const at = witnessedHost()
const { dirOf, seal, list, alarms, backup } = at

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
    const key = await proofKey(hostProofPaths(at.host.paths))
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
    expect((await at.bench.call('overview.get', {})).proof_alarms).toEqual([
      { who: 'aiops-1', detail: alarm?.detail },
    ])
    cpSync(away, dirOf(2), { recursive: true })
    expect(await alarms()).toMatchObject([{ code: 'chain_gap' }])
    expect(
      (await at.bench.refused('proofs.acknowledge', { id: 'aiops-1', reason: ' ' })).error_class,
    ).toBe('invalid_request')
    await at.bench.call('proofs.acknowledge', { id: 'aiops-1', reason: 'The disk was moved' })
    expect(await alarms()).toEqual([])
    expect((await list()).witnesses[0]?.acknowledged).toMatchObject([
      { reason: 'The disk was moved', alarms: [{ code: 'chain_gap' }] },
    ])
    expect(
      (await at.bench.refused('proofs.acknowledge', { id: 'aiops-1', reason: 'again' }))
        .error_class,
    ).toBe('invalid_request')
    rmSync(dirOf(1), { recursive: true })
    expect(await alarms()).toMatchObject([{ code: 'chain_gap', counter: 1 }])
  })

  it('judges a host by its own answers only, whichever is selected during the check', async () => {
    const key = (await list()).witnesses[0]?.key_id
    const other = await hostPeer('another-token')
    other.answers.set('GET /api/proof/chain', (_request, response) =>
      json(response, 200, { ok: true, key: toTrustedKey(newKey()), report: null }),
    )
    try {
      await at.bench.call('hosts.add', { name: 'edge-3', url: other.url, token: 'another-token' })
      await until('the other host answers', async () =>
        (await at.bench.call('hosts.list', {})).hosts.every(
          ({ connection }) => connection.state === 'online',
        ),
      )
      const check = at.bench.call('proofs.check', {})
      await turn() // its first request is on its way
      await at.bench.call('hosts.select', { url: other.url })
      await check
      await at.bench.call('hosts.select', { url: at.hostd.url })
      expect((await list()).witnesses).toMatchObject([{ id: 'aiops-1', key_id: key, open: [] }])
    } finally {
      await other.leave()
    }
  })

  it('raises an alarm over a restored backup, and continues from it once acknowledged', async () => {
    const before = backup()
    await seal(4, 6)
    expect(await alarms()).toEqual([])
    before.restore()
    expect(await alarms()).toMatchObject([
      { code: 'chain_truncated', detail: 'aiops-1 had 6 sealed bundles and now shows 3' },
    ])
    await at.bench.call('proofs.acknowledge', {
      id: 'aiops-1',
      reason: 'Restored from backup on purpose',
    })
    await seal(7, 8)
    expect(await alarms()).toEqual([])
    expect((await list()).witnesses[0]?.seen?.counter).toBe(5)
  })

  it('raises an alarm at another key of the host, names both, and trusts it once acknowledged', async () => {
    const old = (await list()).witnesses[0]?.key_id
    rmSync(hostProofPaths(at.host.paths).keyFile)
    await seal(4, 5)
    const found = await alarms()
    expect(found.map(({ code }) => code)).toEqual(['key_changed', 'chain_replaced'])
    const next = (await proofKey(hostProofPaths(at.host.paths))).id
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
          await at.bench.refused('proofs.acknowledge', {
            id: 'aiops-1',
            reason: 'The disk was moved',
            saw,
          })
        ).error_class,
      ).toBe('invalid_request')
    expect((await list()).witnesses[0]).toMatchObject({ key_id: old, open: found })
    await at.bench.call('proofs.acknowledge', {
      id: 'aiops-1',
      reason: 'The host was installed again',
      saw: { open: 2, shown_key_id: next },
    })
    await seal(6, 6)
    expect(await alarms()).toEqual([])
    expect((await list()).witnesses[0]).toMatchObject({ key_id: next, seen: { counter: 3 } })
  })

  it("raises an alarm over a bundle that was changed and sealed again with the host's own key", async () => {
    const places = hostProofPaths(at.host.paths)
    for (const n of [1, 2, 3]) rmSync(join(dirOf(n), 'manifest.json'))
    rmSync(places.chainFile)
    writeJson(join(dirOf(2), 'doctor.json'), { run: 'another' })
    await seal(1, 1)
    await seal(3, 3)
    expect(await alarms()).toMatchObject([{ code: 'chain_replaced' }])
  })

  it('shows what it knows while the host is unreachable or its own memory damaged, and says so', async () => {
    await list()
    const places = join(at.bench.home, 'witness')
    await at.hostd.stop()
    await until(
      'HQ sees that it is away',
      async () => (await at.bench.call('overview.get', {})).connection.state === 'offline',
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
    at.hostd = await startHostd(at.host, { port: at.hostd.port })
    await until(
      'HQ sees it again',
      async () => (await at.bench.call('overview.get', {})).connection.state === 'online',
    )
    expect(await alarms()).toMatchObject([{ code: 'witness_damaged' }])
    await at.bench.call('proofs.acknowledge', { id: 'aiops-1', reason: 'A full disk' })
    expect(await alarms()).toEqual([])
    expect(readdirSync(places)).toContain('aiops-1.json.damaged')
  })

  it('U2 names what differs in a bundle of the host, both digests, and when it was last whole', async () => {
    const place = { side: 'host', folder: 'doctor', run_id: idOf(2) } as const
    const whole = await at.bench.call('proofs.evidence', place)
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
    const broken = await at.bench.call('proofs.evidence', place)
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
    const { base64 } = await at.bench.call('proofs.file', { ...place, path: 'added (1).txt' })
    expect(Buffer.from(base64, 'base64').toString()).toBe('new')
    // An id that is the last of its second, and a run that the host does not have.
    for (const run_id of [idOf(77), '20261101T100002Z-ffffffff'])
      expect(await at.bench.refused('proofs.evidence', { ...place, run_id })).toMatchObject({
        error_class: 'not_found',
      })
    expect(await at.bench.refused('proofs.evidence', { ...place, side: 'laptop' })).toMatchObject({
      error_class: 'not_found',
    })
  })

  it('exports the statements of a proof, verified again on the laptop, and with a deploy its reviews', async () => {
    const doctor = { side: 'host', folder: 'doctor', run_id: idOf(2) } as const
    const linesOf = async (place: Input<'proofs.export'>): Promise<string[]> => {
      const { text } = await at.bench.call('proofs.export', place)
      return text.trimEnd().split('\n')
    }
    const places = hostProofPaths(at.host.paths)
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
    await at.bench.call('settings.set_repository', { path: made.repo })
    // This laptop does not know the key: it cannot say that they are genuine.
    trustShipKey(at.bench.home, toTrustedKey(newKey()))
    expect(await linesOf(deploy)).toHaveLength(3 + 1)
    trustShipKey(at.bench.home, toTrustedKey(made.shipKey))
    expect(await linesOf(deploy)).toHaveLength(5 + 1)

    const refused = async (place: unknown): Promise<string> =>
      (await at.bench.refused('proofs.export', place)).error_class
    expect(await refused({ ...doctor, folder: 'runs' })).toBe('nothing_to_export')
    expect(await refused({ ...doctor, run_id: idOf(77) })).toBe('not_found')
    expect(await refused({ ...doctor, side: 'laptop' })).toBe('not_found')
    trustHostKey(at.bench.home, 'aiops-1', toTrustedKey(newKey()))
    expect(await refused(doctor)).toBe('proof_broken')
    appendFileSync(join(dirOf(2), 'run.log'), '.')
    expect(await at.hostd.request(`/api/proof/export?kind=doctor&run_id=${idOf(2)}`)).toMatchObject(
      {
        body: { error_class: 'proof_broken' },
      },
    )
    made.remove()
  })

  it('serves the chain in pages behind the token, empty when nothing is new, and checks requests', async () => {
    await seal(4, 60)
    expect(await at.hostd.request('/api/proof/chain?after=0', { token: null })).toMatchObject({
      status: 403,
    })
    expect(await at.hostd.request('/api/proof/chain?after=-1')).toMatchObject({ status: 400 })
    expect(await at.hostd.request('/api/proof/chain?from=1')).toMatchObject({ status: 400 })
    expect((await at.hostd.request('/api/proof/chain')).body).toMatchObject({
      report: { counter: 60, until: 50 },
    })
    const { body } = await at.hostd.request('/api/proof/chain?after=50')
    expect(
      (body['report'] as { links: { counter: number }[] }).links.map(({ counter }) => counter),
    ).toEqual([51, 52, 53, 54, 55, 56, 57, 58, 59, 60])
    expect((await at.hostd.request('/api/proof/chain?after=60')).body).toMatchObject({
      report: { counter: 60, until: 60, links: [] },
    })
    const first = (await at.hostd.request('/api/proof/bundles?limit=40')).body
    const second = (
      await at.hostd.request(`/api/proof/bundles?limit=40&cursor=${String(first['next_cursor'])}`)
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
