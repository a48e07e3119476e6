import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunEnd } from '../../../../desktop/operator/host/deploys.ts'
import { selectHost } from '../../../../desktop/operator/settings/hosts.ts'
import { settingsStore } from '../../../../desktop/operator/settings/settings.ts'
import { deployDocument } from '../../../support/documents.ts'
import { hostPeer, json, type HostPeer } from '../../../support/host-peer.ts'
import { operatorBench, until, type OperatorBench } from '../../../support/operator-bench.ts'

const token = 'canary-token-0817'
const run_id = '20261122T120000Z-0000000e'
const time = '2026-11-22T12:00:00.000Z'

const running = {
  run_id,
  action: 'deploy_and_verify',
  lane: 'deploy',
  params: {},
  actor: 'test',
  deploy_run_id: null,
  status: 'running',
  requested_at: time,
  started_at: time,
  finished_at: null,
  error_class: null,
  step_failed: null,
} as const

describe('another host is selected while HQ waits for one', () => {
  let one: HostPeer
  let two: HostPeer
  let bench: OperatorBench
  const ended: RunEnd[] = []

  beforeEach(async () => {
    ;[one, two] = await Promise.all([hostPeer(token), hostPeer(token)])
    bench = operatorBench({ onRunEnded: (end) => ended.push(end) })
  })
  afterEach(async () => {
    await bench.remove()
    await Promise.all([one.leave(), two.leave()])
  })
  const enrol = async (): Promise<void> => {
    await bench.call('hosts.add', { name: 'aiops-1', url: one.url, token })
    await bench.call('hosts.add', { name: 'edge-3', url: two.url, token })
  }

  it('goes on to follow a deploy where it runs', async () => {
    const path = `/api/runs/${run_id}/events`
    const event = (seq: number, more: object): string =>
      `id: ${seq}\ndata: ${JSON.stringify({ seq, time, ...more })}\n\n`
    let cut = (): void => undefined
    const asked: number[] = []
    one.answers.set(`GET ${path}`, (_request, response) => {
      asked.push(asked.length)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (asked.length > 1) {
        const result = deployDocument('a'.repeat(40), { run_id })
        response.write(event(2, { type: 'run_finished', result }))
        response.end('event: end\ndata: {"status":"passed"}\n\n')
        return
      }
      response.write(event(1, { type: 'run_started', action: 'deploy_and_verify', steps: [] }))
      cut = () => response.destroy()
    })
    one.status.active_runs.push(running)
    await enrol()
    await until('the deploy is followed', () => asked.length === 1)
    await bench.call('hosts.select', { url: two.url })
    cut()
    await until('HQ goes on', () => asked.length === 2 || two.requests.some((r) => r.url === path))
    expect(two.requests.map(({ url }) => url)).not.toContain(path)
    expect(await until('its end is reported', () => ended[0])).toMatchObject({ result: { run_id } })
  })

  it('notes what a host said under the name of that host', async () => {
    const settings = settingsStore(bench.home)
    const shown = (id: string) => ({
      run_id: id,
      complete: true,
      missing: [],
      verification: 'broken' as const,
    })
    one.status.bundles.ship = shown('20261122T120000Z-00000001')
    two.status.bundles.ship = shown('20261122T120000Z-00000002')
    one.answers.set('GET /api/status', (_request, response) => {
      // As another HQ at the same settings does, while the answer is on its way.
      if (settings.read().hosts.length > 0) selectHost(settings, two.url)
      json(response, 200, one.status)
    })
    await enrol()
    const noted = await until('the other host is read', () => {
      const path = join(bench.home, 'cache', 'proof-sightings.json')
      const file = existsSync(path) ? readFileSync(path, 'utf8') : ''
      const { bundles = {} } = JSON.parse(file || '{}') as { bundles?: object }
      return file.includes('00000002') && Object.keys(bundles)
    })
    expect(noted.filter((key) => key.endsWith('00000001 edge-3'))).toEqual([])
    expect(noted).toContain('ship/20261122T120000Z-00000002 edge-3')
  })

  it('remembers a cancel until the run ends on its own host', async () => {
    one.status.active_runs.push(running)
    await enrol()
    const cancels = async () => (await bench.call('overview.get', {})).cancels ?? []
    await bench.refused('host.cancel', { run_id })
    const [remembered] = await cancels()
    expect(remembered).toMatchObject({ run_id, problem: { error_class: 'not_found' } })
    await bench.call('hosts.select', { url: two.url })
    expect(await cancels()).toEqual([])
    await bench.call('hosts.select', { url: one.url })
    expect(await cancels()).toEqual([remembered])
    one.status.active_runs.pop()
    await bench.call('hosts.retry', { url: one.url })
    expect(await cancels()).toEqual([])
  })

  it('judges no proof while settings of an older version have one name for two hosts', async () => {
    await enrol()
    const settings = settingsStore(bench.home)
    settings.update({ hosts: settings.read().hosts.map((each) => ({ ...each, name: 'aiops-1' })) })
    await bench.call('proofs.check', {})
    const { witnesses } = await bench.call('proofs.list', {})
    expect(witnesses).toMatchObject([
      { id: 'aiops-1', key_id: null, problem: expect.stringContaining('Rename one') as unknown },
    ])
  })
})
