import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  connectorsReply,
  connectorsResult,
  type ConnectorsReply,
  type ConnectorsResult,
} from '#shared/connectors'
import { manifest } from '#shared/proof'
import type { RunEvent } from '#shared/events'
import { readHostSettings } from '#ops/core/config/settings-files'
import { readRunResult } from '#ops/host/runner/run-files'
import {
  connectorHost,
  secretTexts,
  tokenOf,
  type ConnectorHost,
} from '../support/connector-host.ts'
import { allFiles, hq, startHostd, until, type TestHostd } from '../support/hostd.ts'

let at: ConnectorHost
let hostd: TestHostd
/** Everything that was shown to somebody. */
let shown = ''
beforeAll(async () => {
  at = await connectorHost()
  hostd = await startHostd(at.host)
})
beforeEach(async () => await at.reset())
afterAll(async () => {
  await hostd.stop()
  await at.remove()
})

const connectors = async (): Promise<ConnectorsReply> =>
  connectorsReply.parse((await hostd.request('/api/connectors')).body)
const command = async (
  ...args: string[]
): Promise<{ code: number | null; out: string; err: string }> => {
  const ended = await hq(at.host, args, {
    OPENCLAW_HOSTD_URL: hostd.url,
    OPENCLAW_ADMIN_TOKEN: at.host.token,
  })
  shown += ended.out + ended.err
  return ended
}
const asked = async (
  action: 'connectors' | 'phase0',
): Promise<{ code: number | null; result: ConnectorsResult }> => {
  const { code, out } = await command(action, '--json')
  return { code, result: connectorsResult.parse(JSON.parse(out)) }
}
const proofOf = (id: string): string => join(at.host.paths.artifacts, 'phase0', id)
const kept = (id: string): ConnectorsResult =>
  connectorsResult.parse(JSON.parse(readFileSync(join(proofOf(id), 'phase0_result.json'), 'utf8')))
const sealed = (id: string) =>
  manifest.parse(JSON.parse(readFileSync(join(proofOf(id), 'manifest.json'), 'utf8')))

describe('the connectors of a host', () => {
  it('are not known before the first check, and to nobody without the token', async () => {
    const { kajabi, gmail, http_token } = readHostSettings(at.host.paths)
    expect(await connectors()).toEqual({
      ok: false,
      seen: null,
      connectors: null,
      details: [
        { name: 'kajabi', mode: 'storage_state', settings: kajabi, candidate: null, history: [] },
        { name: 'gmail', mode: 'oauth_desktop', settings: gmail, candidate: null, history: [] },
        { name: 'http_token', mode: 'header', settings: http_token, candidate: null, history: [] },
      ],
      last_phase0: null,
    })
    expect((await hostd.request('/api/connectors', { token: null })).status).toBe(403)
    expect((await hostd.request('/api/connectors?live=1')).status).toBe(400)
  })

  it('are shown as the last check found them, each with its own class, and FAIL while one is not ready', async () => {
    rmSync(join(at.folder, 'gmail_oauth.json'))
    const { code, err } = await command('connectors')
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(
        /✗ FAIL {2}gmail .*not configured\. .*gmail_oauth\.json does not exist/,
      ),
    ])
    const seen = await connectors()
    const { body } = await hostd.request(`/api/runs?id=${seen.seen?.run_id ?? ''}`)
    expect(body).toMatchObject({
      run: { action: 'connectors_status', lane: 'status', status: 'failed' },
    })
    const result = connectorsResult.parse((body['run'] as { result: unknown }).result)
    expect([result.kind, result.overall, result.step_failed, result.error_class]).toEqual([
      'connectors',
      'FAIL',
      'gmail',
      'CONNECTOR_NOT_CONFIGURED',
    ])
    expect(result.checks.map(({ name, status, remedy }) => [name, status, remedy])).toEqual([
      ['kajabi', 'PASS', null],
      ['gmail', 'FAIL', 'connect_connectors'],
    ])
    expect(seen).toMatchObject({
      ok: false,
      seen: { run_id: result.run_id, action: 'connectors_status' },
      connectors: [
        { name: 'kajabi', state: 'ready' },
        { name: 'gmail', state: 'not_configured', next_auto_fix: 'connect_connectors' },
      ],
      last_phase0: null,
    })
  })
})

describe('the status of the host', () => {
  it('names the state of each connector, and the run that found it', async () => {
    const { seen, connectors: reports } = await connectors()
    const oldest = reports?.map(({ checked_at }) => checked_at).toSorted()[0]
    expect((await hostd.request('/api/status')).body['connectors']).toEqual({
      run_id: seen?.run_id,
      checked_at: oldest,
      connectors: [
        { name: 'kajabi', state: 'ready', expires_at: expect.stringMatching(/^2\d{3}-/) },
        { name: 'gmail', state: 'not_configured', expires_at: null },
      ],
    })
  })
})

describe('Phase 0', () => {
  it('stays CONNECTOR_NOT_CONFIGURED while a connector is not ready, says which and why, and seals it', async () => {
    await at.google.revoke(tokenOf(at))
    const { code, result } = await asked('phase0')
    expect([
      code,
      result.overall,
      result.step_failed,
      result.error_class,
      result.next_auto_fix,
    ]).toEqual([2, 'FAIL', 'gmail', 'CONNECTOR_NOT_CONFIGURED', 'connect_connectors'])
    expect(result.connectors).toMatchObject([
      { name: 'kajabi', state: 'ready' },
      {
        name: 'gmail',
        state: 'expired',
        error_class: 'connector_expired',
        detail: expect.stringContaining('invalid_grant'),
      },
    ])
    expect(kept(result.run_id)).toEqual(result)
    expect(sealed(result.run_id)).toMatchObject({
      kind: 'phase0',
      run_id: result.run_id,
      files: [
        { path: 'connectors.log' },
        { path: 'files.intoto.jsonl' },
        { path: 'phase0_result.json' },
      ],
    })
    expect(await connectors()).toMatchObject({
      ok: false,
      seen: { run_id: result.run_id, action: 'phase0' },
      last_phase0: {
        run_id: result.run_id,
        overall: 'FAIL',
        error_class: 'CONNECTOR_NOT_CONFIGURED',
        artifact_dir: `phase0/${result.run_id}`,
        verification: 'verified',
      },
    })
  })

  it('distinguishes no answer from a missing secret, and seals what a killed run left', async () => {
    // As a kill right before the first seal of this host leaves it.
    const left = (await connectors()).last_phase0?.run_id ?? ''
    rmSync(join(proofOf(left), 'manifest.json'))
    rmSync(join(at.host.paths.state, 'proof', 'chain.json'))
    at.google.api = 503
    const { code, result } = await asked('phase0')
    expect([code, result.step_failed, result.error_class, result.next_auto_fix]).toEqual([
      1,
      'gmail',
      'connector_unreachable',
      'retry_when_reachable',
    ])
    expect([sealed(left).counter, sealed(result.run_id).counter]).toEqual([1, 2])
  })

  it("is PASS once both accept their secret, with a bundle of the host's chain that verifies", async () => {
    const before = at.kajabi.requests.length
    const { code, result } = await asked('phase0')
    expect([code, result.overall, result.error_class]).toEqual([0, 'PASS', null])
    expect(result.connectors?.map(({ state }) => state)).toEqual(['ready', 'ready'])
    expect(at.kajabi.requests.length).toBeGreaterThan(before)
    expect(await connectors()).toMatchObject({
      ok: true,
      seen: { action: 'phase0', run_id: result.run_id },
      last_phase0: { overall: 'PASS', verification: 'verified' },
    })
    const { body } = await hostd.request('/api/proof/bundles?kind=phase0')
    expect(body).toMatchObject({
      bundles: [
        { kind: 'phase0', run_id: result.run_id, state: 'verified' },
        { kind: 'phase0' },
        { kind: 'phase0' },
      ],
    })
    const verified = await command('proof', 'verify', result.run_id)
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining(result.run_id)])

    const file = join(proofOf(result.run_id), 'phase0_result.json')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('"ready"', '"Ready"'))
    const broken = await command('proof', 'verify', result.run_id)
    expect([broken.code, broken.out]).toEqual([1, expect.stringContaining('phase0_result.json')])
    expect((await hostd.request('/api/proof/bundles?kind=phase0')).body).toMatchObject({
      bundles: [
        {
          run_id: result.run_id,
          state: 'broken',
          problems: [{ code: 'file_digest', file: 'phase0_result.json' }],
        },
        { state: 'verified' },
        { state: 'verified' },
      ],
    })
    writeFileSync(file, text)
    expect((await connectors()).last_phase0?.verification).toBe('verified')
  })

  it('that is cancelled leaves a proof too, and what was known of the connectors stays', async () => {
    const known = await connectors()
    at.kajabi.answer = () => undefined
    const asks = at.kajabi.requests.length
    const { run_id: id } = await hostd.client.exec('phase0')
    await until('a request to Kajabi', () => at.kajabi.requests.length > asks)
    await hostd.request(`/api/runs/${id}/cancel`, { method: 'POST' })
    expect(await until('the run to end', () => readRunResult(at.host.paths, id))).toMatchObject({
      overall: 'FAIL',
      error_class: 'cancelled',
    })
    expect(kept(id)).toMatchObject({ overall: 'FAIL', error_class: 'cancelled', connectors: null })
    expect(sealed(id).run_id).toBe(id)
    expect(await connectors()).toMatchObject({
      seen: known.seen,
      connectors: known.connectors,
      last_phase0: { run_id: id, error_class: 'cancelled', verification: 'verified' },
    })
  })

  it('leaves nothing secret in any log, artifact, index or answer', async () => {
    const events: RunEvent[] = []
    const { run } = await hostd.client.startOrJoin(
      'connectors_status',
      {},
      {
        onEvents: (batch) => {
          events.push(...batch)
        },
      },
    )
    const everything = [
      shown,
      hostd.said(),
      JSON.stringify([run, events, await connectors()]),
      ...allFiles(at.host.dir)
        .filter(({ path }) => !path.startsWith(at.host.paths.etc))
        .map(({ text }) => text),
    ].join('\n')
    expect(everything).toContain('phase0_result.json')
    expect(at.google.bearers.length).toBeGreaterThan(2)
    for (const secret of [...secretTexts, tokenOf(at), ...at.google.bearers])
      expect(everything).not.toContain(secret)
  })
})
