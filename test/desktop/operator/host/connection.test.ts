import { statSync } from 'node:fs'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { whyNot } from '#shared/state/buttons'
import { execFileSync } from 'node:child_process'
import type { ActsOnHost } from '#shared/shown-host'
import { hostPeer, json, type HostPeer } from '../../../support/host-peer.ts'
import { operatorBench, until, type OperatorBench } from '../../../support/operator-bench.ts'
import { stateNow } from '../../../support/state.ts'

const token = 'canary-token-0815'

describe('the connection to the host', () => {
  let peer: HostPeer
  let bench: OperatorBench
  const enrol = async (name = 'aiops-1', url = peer.url): Promise<void> => {
    await bench.call('settings.set_host', { name, url, token })
  }
  const state = async (wanted: string) =>
    until(`the connection is ${wanted}`, async () => {
      const overview = await bench.call('overview.get', {})
      return overview.connection.state === wanted && overview
    })

  beforeEach(async () => {
    peer = await hostPeer(token)
    bench = operatorBench()
  })
  afterEach(async () => {
    await bench.remove()
    await peer.leave()
  })

  it('U6 says what is missing before a host is enrolled, and sends no request', async () => {
    const { connection, status } = await bench.call('overview.get', {})
    expect(connection).toMatchObject({
      state: 'not_enrolled',
      detail: 'No host is enrolled, so no request was sent.',
      as_of: null,
    })
    expect(status).toBeNull()
    // What the laptop lacks is not a defect of the host.
    expect(await bench.refused('host.exec', { action: 'doctor' })).toMatchObject({
      error_class: 'host_not_enrolled',
      next_auto_fix: 'enrol_host',
    })
  })

  it('is online with a latency once the host has its address and token', async () => {
    await enrol()
    const { connection, status } = await state('online')
    expect(connection).toMatchObject({
      name: 'aiops-1',
      url: peer.url,
      detail: null,
    })
    expect(connection.latency_ms).toBeGreaterThan(0)
    expect(status?.host.name).toBe('aiops-1')
  })

  it('shows the last known state with its age when HQ starts while the host is unreachable', async () => {
    await enrol()
    const before = await state('online')
    await bench.operator.close()
    await peer.leave()
    const later = operatorBench({ home: bench.home })
    try {
      const away = await until('the host is away', async () => {
        const overview = await later.call('overview.get', {})
        const { state: now, diagnosis } = overview.connection
        return now === 'offline' && diagnosis !== null && overview
      })
      expect(away.status).toEqual(before.status)
      expect(Date.parse(away.connection.as_of ?? '')).toBeGreaterThanOrEqual(
        Date.parse(before.connection.as_of ?? ''),
      )
      expect(stateNow(away).buttons.deploy).toMatchObject({
        whole: 'hostd does not answer on aiops-1.',
      })
      expect(stateNow(away).change.done).toBe(true)
    } finally {
      await later.operator.close()
    }
  })

  it('comes back by itself when the host does', async () => {
    await enrol()
    await state('online')
    await peer.leave()
    await state('offline')
    await peer.comeBack()
    await state('online')
  })

  it('distinguishes a wrong token, another version and a redirect from an unreachable host', async () => {
    await bench.call('settings.set_host', { name: 'aiops-1', url: peer.url, token: 'another' })
    expect((await state('refused')).connection.detail).toBe('The admin token is wrong.')
    peer.answers.set('GET /api/status', (_request, response) =>
      json(response, 200, { ...peer.status, shiny: true }),
    )
    await enrol()
    expect((await state('refused')).connection.detail).toContain(
      'HQ and hostd speak different versions',
    )
  })

  it('does not follow a redirect, so the token reaches nobody else', async () => {
    const thief = await hostPeer('none')
    peer.answers.set('GET /api/status', (_request, response) => {
      response.writeHead(307, { location: `${thief.url}/api/status` }).end()
    })
    await enrol()
    expect((await state('refused')).connection.detail).toContain('answered with a redirect')
    expect(thief.requests).toEqual([])
    await thief.leave()
  })

  it('never sends a stored token to another address', async () => {
    await enrol()
    await state('online')
    const other = await hostPeer('none')
    const settings = await bench.call('settings.set_host', { name: 'aiops-1', url: other.url })
    expect(settings.host).toEqual({ name: 'aiops-1', url: other.url, token_set: false })
    expect((await state('not_enrolled')).connection.detail).toContain(
      'The admin token of aiops-1 is not set',
    )
    expect(other.requests).toEqual([])
    await other.leave()
  })

  it.each([
    ['http://aiops-1.example', 'Plain http'],
    ['https://user:pw@aiops-1.example', 'user name or password'],
    ['https://aiops-1.example/path', 'without a path'],
    ['file:///etc/passwd', 'must start with https://'],
    ['http://127.0.0.1.evil.example', 'Plain http'],
  ])('refuses %s as an address and leaves the settings alone', async (url, why) => {
    const problem = await bench.refused('settings.set_host', { name: 'aiops-1', url, token })
    expect(problem.error_class).toBe('setting_invalid')
    expect(problem.message).toContain(why)
    expect((await bench.call('settings.get', {})).host).toBeNull()
  })

  it('keeps the token in a file only its owner can read, and refuses it once others can', async () => {
    await enrol()
    await state('online')
    const folder = join(bench.home, 'secrets')
    const [name = ''] = readdirSync(folder)
    expect([statSync(folder).mode & 0o777, statSync(join(folder, name)).mode & 0o777]).toEqual([
      0o700, 0o600,
    ])
    execFileSync('chmod', ['644', join(folder, name)])
    expect((await state('not_enrolled')).connection.detail).toContain('can be read by others')
  })

  it('never shows the token: in no reply, and in no file but the secret itself', async () => {
    await enrol()
    await state('online')
    const replies = await Promise.all(
      (['settings.get', 'overview.get', 'app.info'] as const).map((name) =>
        bench.operator.call(name, {}, null),
      ),
    )
    expect(JSON.stringify(replies)).not.toContain(token)
    await bench.operator.close()
    const files = execFileSync('grep', ['-rl', token, bench.home], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(files).toHaveLength(1)
    expect(files[0]).toContain('/secrets/')
  })

  it.each([
    ['the same action', 'deploy_and_verify', {}, 'deploy_and_verify', undefined, null],
    [
      'the same action and parameters',
      'rollback',
      { to: 'c'.repeat(40) },
      'rollback',
      { to: 'c'.repeat(40) },
      null,
    ],
    [
      'another action',
      'deploy_and_verify',
      {},
      'maintenance_clear',
      undefined,
      'Deploy+Verify (20261122T120000Z-0000000a) is running, started by alice at ' +
        '2026-11-22T12:00:00.000Z, so End maintenance was not started.',
    ],
    [
      'other parameters',
      'deploy_and_verify',
      {},
      'deploy_and_verify',
      { unpin: true },
      'Deploy+Verify (20261122T120000Z-0000000a) is running, started by alice at ' +
        '2026-11-22T12:00:00.000Z, with other parameters: {}. Nothing was started.',
    ],
    [
      'another commit',
      'rollback',
      { to: 'c'.repeat(40) },
      'rollback',
      { to: 'd'.repeat(40) },
      /^Roll back .* with other parameters: \{"to":"c{40}"\}\. Nothing was started\.$/,
    ],
  ] as const)(
    'joins a busy lane only for the same request (%s)',
    async (_what, running, runningParams, action, params, refused) => {
      await enrol()
      const time = '2026-11-22T12:00:00.000Z'
      const run_id = '20261122T120000Z-0000000a'
      peer.answers.set('POST /api/exec', (_request, response) =>
        json(response, 409, {
          ok: false,
          error_class: 'ALREADY_RUNNING',
          detail: 'busy',
          next_auto_fix: 'join_active_run',
          action: running,
          active_run_id: run_id,
          started_at: time,
        }),
      )
      peer.answers.set('GET /api/runs', (_request, response) =>
        json(response, 200, {
          ok: true,
          run: {
            run_id,
            action: running,
            lane: 'deploy',
            params: runningParams,
            actor: 'alice',
            deploy_run_id: null,
            status: 'running',
            requested_at: time,
            started_at: time,
            finished_at: null,
            error_class: null,
            step_failed: null,
            result: null,
          },
        }),
      )
      const asked = { action, ...(params ? { params } : {}) }
      if (refused === null)
        return expect(await bench.call('host.exec', asked)).toEqual({ run_id, joined: true })
      const problem = await bench.refused('host.exec', asked)
      expect(problem).toMatchObject({
        error_class: 'lane_busy',
        next_auto_fix: 'wait_for_active_run',
        message: typeof refused === 'string' ? refused : expect.stringMatching(refused),
      })
    },
  )

  it('goes on with a live log at once when the host is back, without gap or repeat', async () => {
    const run_id = '20261122T120000Z-0000000c'
    const asked: (string | undefined)[] = []
    peer.answers.set(`GET /api/runs/${run_id}/events`, (_request, response, raw) => {
      const after = raw.headers['last-event-id']
      asked.push(typeof after === 'string' ? after : undefined)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const line = (seq: number): string => {
        const time = '2026-11-22T12:00:00.000Z'
        const event = { seq, time, type: 'log', step: null, stream: 'stdout', text: `line ${seq}` }
        return `id: ${seq}\ndata: ${JSON.stringify(event)}\n\n`
      }
      // The first connection dies unseen, as one does when the way to the host is cut.
      if (asked.length === 1) response.write(line(1) + line(2))
      else response.end(`${line(3)}event: end\ndata: {"status":"passed"}\n\n`)
    })
    await enrol()
    await state('online')
    const seen: number[] = []
    const ended = new Promise((resolve) => {
      const request = { source: 'host', run_id, after: 0 }
      const take = (events: readonly { seq: number }[]): void =>
        void seen.push(...events.map(({ seq }) => seq))
      bench.operator.events(request, take, resolve)
    })
    await until('the log has begun', () => seen.length === 2)
    peer.answers.set('GET /api/status', (_request, response) => response.destroy())
    await state('offline')
    peer.answers.delete('GET /api/status')
    await state('online')
    const back = Date.now()
    expect(await ended).toBeNull()
    expect(Date.now() - back).toBeLessThan(5000)
    expect(seen).toEqual([1, 2, 3])
    expect(asked).toEqual([undefined, '2'])
  })

  it('says on the button that a deploy runs already', async () => {
    const time = '2026-11-22T12:00:00.000Z'
    peer.status.active_runs.push({
      run_id: '20261122T120000Z-0000000b',
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
    })
    await enrol()
    expect(whyNot(stateNow(await state('online')).buttons.deploy)).toBe(
      'Deploy+Verify is running already.',
    )
  })
})

describe('several hosts', () => {
  it('get no request that was meant for another one that the page showed', async () => {
    const [one, two] = await Promise.all([hostPeer(token), hostPeer('another-token-0815')])
    const bench = operatorBench()
    const posts = () => [one, two].flatMap(({ requests }) => requests.filter(isPost))
    const isPost = ({ method }: { method?: string | undefined }): boolean => method === 'POST'
    const run_id = '20261125T120000Z-00000001'
    const inputs: Readonly<Record<ActsOnHost, unknown>> = {
      'host.exec': { action: 'deploy_and_verify' },
      'host.cancel': { run_id },
      'connectors.connect': { name: 'http_token', mode: 'header' },
      'connectors.finalize': { name: 'gmail' },
      'connectors.revoke': { name: 'gmail' },
      'ship_key.enrol': { id: null },
    }
    try {
      await bench.call('hosts.add', { name: 'aiops-1', url: one.url, token })
      await bench.call('hosts.add', { name: 'edge-3', url: two.url, token: 'another-token-0815' })
      // Another window, or `hq`, selects the second one.
      await bench.call('hosts.select', { url: two.url })
      for (const [name, input] of Object.entries(inputs))
        for (const shown of [one.url, null])
          expect([name, shown, await bench.operator.call(name, input, shown)]).toMatchObject([
            name,
            shown,
            { ok: false, problem: { error_class: 'another_host_selected' } },
          ])
      expect((await bench.call('ship_key.get', {})).key).toBeNull()
      expect(posts()).toEqual([])
      await bench.operator.call('host.exec', inputs['host.exec'], two.url)
      expect(posts()).toHaveLength(1)
      expect(two.requests.filter(isPost)).toHaveLength(1)
    } finally {
      await bench.remove()
      await Promise.all([one.leave(), two.leave()])
    }
  })

  it('are all read, one is selected, and each keeps its own token until it is removed', async () => {
    const [one, two] = await Promise.all([hostPeer(token), hostPeer('another-token-0815')])
    const bench = operatorBench()
    const hosts = async () => (await bench.call('hosts.list', {})).hosts
    const names = async () => (await hosts()).map(({ name, selected }) => [name, selected])
    try {
      await bench.call('hosts.add', { name: 'aiops-1', url: one.url, token })
      await bench.call('hosts.add', { name: 'edge-3', url: two.url, token: 'another-token-0815' })
      expect(await names()).toEqual([
        ['aiops-1', true],
        ['edge-3', false],
      ])
      const online = (all: Awaited<ReturnType<typeof hosts>>) =>
        all.every(({ connection }) => connection.state === 'online') && all
      expect(await until('both answer', async () => online(await hosts()))).toHaveLength(2)
      await bench.call('hosts.select', { url: two.url })
      expect((await bench.call('overview.get', {})).connection).toMatchObject({
        name: 'edge-3',
        state: 'online',
      })
      expect((await bench.refused('hosts.remove', { url: two.url })).error_class).toBe(
        'invalid_request',
      )
      await bench.call('hosts.remove', { url: one.url })
      expect(await names()).toEqual([['edge-3', true]])
      const gone = one.requests.length
      await bench.call('hosts.retry', { url: two.url })
      expect(one.requests).toHaveLength(gone)
      expect(readdirSync(join(bench.home, 'secrets'))).toHaveLength(1)
      expect(
        [one, two].map(({ requests }) => new Set(requests.map((each) => each.token)).size),
      ).toEqual([1, 1])
      expect((await bench.call('overview.get', {})).hosts).toEqual([
        expect.objectContaining({ name: 'edge-3', selected: true, state: 'online' }),
      ])
    } finally {
      await bench.remove()
      await Promise.all([one.leave(), two.leave()])
    }
  })
})
