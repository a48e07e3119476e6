import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { errorBody } from '#shared/api'
import { maintenanceFile } from '#shared/run'
import { claimsIdentity } from '../../../hostd/http/caller.ts'
import { acceptTailscaled } from '../../../hostd/http/tailnet-peers.ts'
import { readRequestRecord } from '#ops/core/host-state/request-record'
import {
  hostdRefusal,
  rawRequest,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../../support/hostd.ts'

let host: TestHost
let hostd: TestHostd
let tailscaled: Server
/** What WhoIs says, by address. */
const nodes: Record<string, { Name: string; Tags?: string[]; login?: string }> = {
  '100.64.0.1': { Name: 'aiops-1.hq.test.', Tags: ['tag:ci'], login: 'bob@hq.test' },
  '100.64.0.2': { Name: 'laptop.hq.test.' },
  '100.64.0.3': { Name: 'runner.hq.test.', Tags: ['tag:ci'] },
  '100.64.0.4': { Name: 'laptop.hq.test.', login: 'rené@hq.test' },
  '100.64.0.5': { Name: 'evil.hq.test.', login: '=?utf-8?q?bob=40hq.test?=' },
  '100.64.0.6': { Name: 'evil.hq.test.', login: '=?utf-8?q?ren=C3=A9=40hq.test?=' },
}
const allowed = {
  allowed_logins: ['bob@hq.test', 'rené@hq.test'],
  allowed_tags: ['tag:ci'],
}
const own = { Self: { TailscaleIPs: ['100.64.0.1', 'fd7a::1'] } }
/** What tailscaled says of the host itself; null: no answer. */
let status: object | null = own
/** What happens while tailscaled is asked who calls. */
let meanwhile: () => Promise<unknown> = () => Promise.resolve()

const settings = (change: object): Record<string, unknown> => ({
  hostnames: ['aiops-1.hq.test', 'aiops-1'],
  ...change,
})
const narrow = (change: object): void =>
  writeFileSync(host.paths.hostSettings, JSON.stringify({ name: 'test-host', ...settings(change) }))

beforeAll(async () => {
  host = testHost({ settings: settings(allowed) })
  const socket = join(host.dir, 'tailscaled.sock')
  tailscaled = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    if (pathname.endsWith('/status')) {
      response
        .writeHead(status === null ? 500 : 200)
        .end(JSON.stringify({ BackendState: 'Running', ...status }))
      return
    }
    const { login, ...Node } = nodes[searchParams.get('addr') ?? ''] ?? { Name: null }
    void meanwhile().then(() =>
      response
        .writeHead(Node.Name === null ? 404 : 200)
        .end(JSON.stringify({ Node, UserProfile: { LoginName: login } })),
    )
  })
  await new Promise<void>((resolve) => tailscaled.listen(socket, resolve))
  hostd = await startHostd(host, {
    env: {
      OPENCLAW_TAILSCALE_SOCKET: socket,
      OPENCLAW_HOSTD_SOCKET: join(host.dir, 'hostd.sock'),
    },
  })
})
afterEach(() => {
  status = own
  meanwhile = () => Promise.resolve()
  narrow(allowed)
})
afterAll(async () => {
  tailscaled.close()
  await hostd.kill()
  await host.remove()
})

interface Sent {
  readonly over?: 'tailnet' | 'public' | 'loopback'
  readonly from?: string
  readonly named?: readonly string[]
  readonly token?: string
  readonly identity?: readonly string[]
}

const send = async (
  {
    over = 'tailnet',
    from = '100.64.0.2',
    named = ['aiops-1.hq.test'],
    identity = [],
    token,
  }: Sent,
  request: { method: string; path: string; body: string },
) => {
  const target = {
    tailnet: { socketPath: hostd.tailnet.socketPath },
    public: { socketPath: join(host.dir, 'hostd.sock') },
    loopback: { port: hostd.port },
  }[over]
  const forwarded = named.flatMap((name) => ['X-Forwarded-Host', name])
  const answer = await rawRequest(target, {
    ...request,
    headers: [
      'Host',
      over === 'loopback' ? `127.0.0.1:${hostd.port}` : 'localhost',
      ...(over === 'tailnet' ? [...forwarded, 'X-Forwarded-For', from] : []),
      'X-OpenClaw-Admin-Token',
      token ?? host.token,
      'Content-Type',
      'application/json',
      ...identity,
    ],
  })
  const refused = errorBody.safeParse(JSON.parse(answer.body))
  return refused.success ? refused.data.error_class : null
}

/** Turns maintenance on. @returns who is recorded, or the class of the refusal */
async function change(sent: Sent): Promise<string> {
  rmSync(host.paths.maintenance, { force: true })
  const body = '{"reason":"test"}'
  const refused = await send(sent, { method: 'PUT', path: '/api/maintenance', body })
  if (refused !== null) return refused
  const file: unknown = JSON.parse(readFileSync(host.paths.maintenance, 'utf8'))
  return maintenanceFile.required().parse(file).hold.by
}

const bob = ['Tailscale-User-Login', 'bob@hq.test', 'Tailscale-User-Name', 'Bob']
/** Whether hostd counts it as a claim: each one by itself, for it writes the count only now and then. */
async function claimed({ over = 'tailnet', identity = [] }: Sent): Promise<boolean> {
  let counted = 0
  const server = createServer((request, response) => {
    if (claimsIdentity(request)) counted += 1
    response.end()
  })
  if (over === 'tailnet') acceptTailscaled(server)
  const socketPath = join(host.dir, 'claimed.sock')
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  await rawRequest({ socketPath }, { path: '/', headers: ['Host', 'localhost', ...identity] })
  server.close()
  return counted === 1
}
const ignored = (): number => readRequestRecord(host.paths, 'claimed_identity')?.count ?? 0

describe('who changes a host', () => {
  it.each<[string, Sent, string]>([
    ['a person', { identity: bob }, 'bob@hq.test (Bob) on laptop.hq.test'],
    [
      'a person whose name is not ASCII',
      {
        from: '100.64.0.4',
        identity: [
          'Tailscale-User-Login',
          '=?utf-8?q?ren=C3=A9@hq.test?=',
          'Tailscale-User-Name',
          '=?utf-8?q?Ren=C3=A9_D?=',
        ],
      },
      'rené@hq.test (René D) on laptop.hq.test',
    ],
    [
      'a short name',
      { identity: bob, named: ['AIOPS-1:8443'] },
      'bob@hq.test (Bob) on laptop.hq.test',
    ],
    ['a tagged node', { from: '100.64.0.3' }, 'tag:ci on runner.hq.test'],
    [
      'a login that is written like one in encoded words',
      { from: '100.64.0.5', identity: ['Tailscale-User-Login', '=?utf-8?q?bob=40hq.test?='] },
      'actor_refused',
    ],
    [
      'the same of a login that is not ASCII',
      { from: '100.64.0.6', identity: ['Tailscale-User-Login', '=?utf-8?q?ren=C3=A9=40hq.test?='] },
      'actor_refused',
    ],
    [
      "a program of this host at the host's own address in the tailnet",
      { from: '100.64.0.1', identity: bob },
      'actor_refused',
    ],
    ['the same over IPv6', { from: 'fd7a:0::1', identity: bob }, 'actor_refused'],
    ['the same of a tagged host', { from: '100.64.0.1' }, 'actor_refused'],
    ['a node that tailscaled does not know', { from: '100.64.9.9' }, 'actor_refused'],
    ['an address that is none', { from: 'x/../y' }, 'actor_refused'],
    [
      'a person who is not allowed',
      { identity: ['Tailscale-User-Login', 'eve@hq.test'] },
      'actor_refused',
    ],
    ['an empty login', { identity: ['Tailscale-User-Login', ''] }, 'actor_refused'],
    [
      'a login in other letters',
      { identity: ['Tailscale-User-Login', 'Bob@hq.test'] },
      'actor_refused',
    ],
    ['a program of this host', { over: 'loopback' }, 'local'],
    ['the console, which names nobody', { over: 'public' }, 'actor_refused'],
    ['an allowed person without the token', { identity: bob, token: 'x' }, 'forbidden'],
    ['another name of the host', { identity: bob, named: ['evil.example'] }, 'host_refused'],
    ['two names', { identity: bob, named: ['aiops-1', 'aiops-1'] }, 'host_refused'],
    ['no name', { identity: bob, named: [] }, 'host_refused'],
  ])('is recorded or refused: %s', async (_what, sent, expected) => {
    const before = ignored()
    expect(await change(sent)).toBe(expected)
    expect(ignored()).toBe(before)
  })

  it('is nobody while Tailscale does not say which node the host is', async () => {
    status = null
    expect(await change({ identity: bob })).toBe('actor_refused')
  })

  it('is who host.json names now', async () => {
    narrow({ allowed_logins: ['eve@hq.test'] })
    expect(await change({ identity: bob })).toBe('actor_refused')
    const eve = ['Tailscale-User-Login', 'eve@hq.test']
    expect(await change({ identity: eve })).toBe('eve@hq.test on laptop.hq.test')
  })

  it.each<[string, Sent, string]>([
    ['a program of this host', { from: '100.64.0.1', identity: bob }, 'local'],
    ['a node that tailscaled does not know', { from: '100.64.9.9' }, 'unknown at 100.64.9.9'],
    ['an address that is none', { from: 'x/../y' }, 'unknown'],
  ])('is recorded for what it is where everybody may: %s', async (_what, sent, expected) => {
    narrow({})
    expect(await change(sent)).toBe(expected)
  })

  it('starts nothing when maintenance begins while Tailscale is asked', async () => {
    rmSync(host.paths.maintenance, { force: true })
    meanwhile = () => change({ over: 'loopback' })
    const body = '{"action":"verify_production"}'
    const answer = await send({ identity: bob }, { method: 'POST', path: '/api/exec', body })
    expect(answer).toBe('MAINTENANCE_MODE')
  })

  it('is counted when it is only claimed', async () => {
    expect(ignored()).toBe(0)
    expect(await change({ over: 'loopback', identity: bob })).toBe('actor_refused')
    expect(ignored()).toBe(1)
    expect(hostd.said()).toContain('identity_ignored')
  })

  it.each<[string, Sent]>([
    ['forged on the port', { over: 'loopback', identity: bob }],
    ['forged on the socket of the console', { over: 'public', identity: bob }],
    ['doubled', { identity: [...bob, 'Tailscale-User-Login', 'bob@hq.test'] }],
    ['doubled in other letters', { identity: [...bob, 'tailscale-user-login', 'bob@hq.test'] }],
    ['in small letters', { identity: ['tailscale-user-login', 'bob@hq.test'] }],
  ])('is ignored, and the claim counted: %s', async (_what, sent) => {
    expect(await claimed(sent)).toBe(true)
    expect(await change(sent)).toBe('actor_refused')
  })

  it('reads without being named in the settings', async () => {
    const answer = await rawRequest(
      { socketPath: hostd.tailnet.socketPath },
      {
        path: '/api/runs',
        headers: Object.entries({
          ...hostd.tailnet.headers('eve@hq.test'),
          'X-Forwarded-Host': 'aiops-1',
        }).flat(),
      },
    )
    expect(answer.status).toBe(200)
  })

  it('is taken from no socket in a folder that others may open: hostd does not start', async () => {
    const folder = join(host.dir, 'open')
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    const other = testHost()
    const { code, err } = await hostdRefusal({
      ...other.env,
      OPENCLAW_HOSTD_PORT: '0',
      OPENCLAW_HOSTD_TAILNET_SOCKET: join(folder, 'hostd.sock'),
    })
    await other.remove()
    expect([code, err]).toEqual([1, expect.stringContaining('others than hostd may open')])
  })

  it('nor as a descriptor that systemd passes', async () => {
    const other = testHost()
    const folder = dirname(other.paths.tailnetSocket)
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o755)
    const at = [{ port: 0, host: '127.0.0.1' }, { path: join(other.dir, 'public.sock') }]
    const sockets = await Promise.all(
      [...at, { path: other.paths.tailnetSocket }].map(async (address) => {
        const server = createServer()
        await new Promise<void>((resolve) => server.listen(address, resolve))
        return server
      }),
    )
    const { code, err } = await hostdRefusal(other.env, sockets)
    for (const server of sockets) server.close()
    await other.remove()
    expect([code, err]).toEqual([1, expect.stringContaining('others than hostd may open')])
  })
})
