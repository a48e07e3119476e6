import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorBody } from '#shared/api'
import { maintenanceFile } from '#shared/run'
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
const nodes: Record<string, { Name: string; Tags?: string[] }> = {
  '100.64.0.2': { Name: 'laptop.hq.test.' },
  '100.64.0.3': { Name: 'runner.hq.test.', Tags: ['tag:ci'] },
}

beforeAll(async () => {
  host = testHost({
    settings: {
      hostnames: ['aiops-1.hq.test', 'aiops-1'],
      allowed_logins: ['bob@hq.test', 'rené@hq.test'],
      allowed_tags: ['tag:ci'],
    },
  })
  const socket = join(host.dir, 'tailscaled.sock')
  tailscaled = createServer((request, response) => {
    const address = new URL(request.url ?? '', 'http://x').searchParams.get('addr') ?? ''
    const Node = nodes[address]
    response.writeHead(Node ? 200 : 404).end(JSON.stringify({ Node }))
  })
  await new Promise<void>((resolve) => tailscaled.listen(socket, resolve))
  hostd = await startHostd(host, {
    env: {
      OPENCLAW_TAILSCALE_SOCKET: socket,
      OPENCLAW_HOSTD_SOCKET: join(host.dir, 'hostd.sock'),
    },
  })
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

/** Turns maintenance on. @returns who is recorded, or the class of the refusal */
async function change({
  over = 'tailnet',
  from = '100.64.0.2',
  named = ['aiops-1.hq.test'],
  token = host.token,
  identity = [],
}: Sent): Promise<string> {
  const target = {
    tailnet: { socketPath: hostd.tailnet.socketPath },
    public: { socketPath: join(host.dir, 'hostd.sock') },
    loopback: { port: hostd.port },
  }[over]
  rmSync(host.paths.maintenance, { force: true })
  const forwarded = named.flatMap((name) => ['X-Forwarded-Host', name])
  const answer = await rawRequest(target, {
    method: 'PUT',
    path: '/api/maintenance',
    headers: [
      'Host',
      over === 'loopback' ? `127.0.0.1:${hostd.port}` : 'localhost',
      ...(over === 'tailnet' ? [...forwarded, 'X-Forwarded-For', from] : []),
      'X-OpenClaw-Admin-Token',
      token,
      'Content-Type',
      'application/json',
      ...identity,
    ],
    body: '{"reason":"test"}',
  })
  if (answer.status !== 200) return errorBody.parse(JSON.parse(answer.body)).error_class
  const file: unknown = JSON.parse(readFileSync(host.paths.maintenance, 'utf8'))
  return maintenanceFile.required().parse(file).hold.by
}

const bob = ['Tailscale-User-Login', 'bob@hq.test', 'Tailscale-User-Name', 'Bob']
const ignored = (): number => readRequestRecord(host.paths, 'claimed_identity')?.count ?? 0

describe('who changes a host', () => {
  it.each<[string, Sent, string]>([
    ['a person', { identity: bob }, 'bob@hq.test (Bob) on laptop.hq.test'],
    [
      'a person whose name is not ASCII',
      {
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

  it.each<[string, Sent]>([
    ['forged on the port', { over: 'loopback', identity: bob }],
    ['forged on the socket of the console', { over: 'public', identity: bob }],
    ['doubled', { identity: [...bob, 'Tailscale-User-Login', 'bob@hq.test'] }],
    ['doubled in other letters', { identity: [...bob, 'tailscale-user-login', 'bob@hq.test'] }],
    ['in small letters', { identity: ['tailscale-user-login', 'bob@hq.test'] }],
  ])('is ignored, and the claim counted: %s', async (_what, sent) => {
    expect(await change(sent)).toBe('actor_refused')
    expect(hostd.said()).toContain('identity_ignored')
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
})
