import { chmodSync, chownSync, linkSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { errorBody, healthReply } from '#shared/api'
import { exchange, httpContract, statusesOf } from '../../support/http-contract.ts'
import {
  rawRequest,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../../support/hostd.ts'

let host: TestHost
let hostd: TestHostd
/** H1: answers to connections that hold hostd up, with the seconds until it ended them. */
let held: Promise<readonly (readonly [string, number, number])[]>

async function hold(what: string, bytes: string, every = ''): Promise<[string, number, number]> {
  const began = performance.now()
  const said = await exchange({ host: '127.0.0.1', port: hostd.port }, bytes, {
    silentMs: 60_000,
    every,
  })
  return [what, statusesOf(said)[0] ?? 0, (performance.now() - began) / 1000]
}

beforeAll(async () => {
  host = testHost({
    settings: {
      console_port: 18787,
      hostnames: ['aiops-1.tail.example'],
      console_url: 'http://127.0.0.1:19000/x',
    },
  })
  hostd = await startHostd(host, { env: { OPENCLAW_HOSTD_SOCKET: join(host.dir, 'hostd.sock') } })
  held = Promise.all([
    hold('silence', ''),
    hold('a header that never ends', 'GET /health HTTP/1.1\r\n', 'x: y\r\n'),
    hold(
      'silence after an answer',
      `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${hostd.port}\r\n\r\n`,
    ),
  ])
})
afterAll(async () => {
  await hostd.kill()
  await host.remove()
})
afterEach(() => {
  for (const folder of [host.paths.etc, dirname(host.paths.tokenFile)]) chmodSync(folder, 0o755)
  rmSync(`${host.paths.tokenFile}.other`, { force: true })
  writeFileSync(host.paths.tokenFile, `${host.token}\n`)
  chmodSync(host.paths.tokenFile, 0o640)
})

const tokenHeader = 'X-OpenClaw-Admin-Token'
/** Status and class of a request with exactly these headers. */
const raw = async (
  headers: readonly string[],
  path = '/api/runs',
  method = 'GET',
  body?: string,
) => {
  const answer = await rawRequest({ port: hostd.port }, { path, method, headers, body })
  const parsed = JSON.parse(answer.body) as unknown
  return answer.status >= 400
    ? `${answer.status} ${errorBody.parse(parsed).error_class}`
    : String(answer.status)
}
const ownHost = (): string[] => ['Host', `127.0.0.1:${hostd.port}`]
const token = (): string[] => [tokenHeader, host.token]

describe('who may send requests to hostd', () => {
  it('answers /health to anybody, with its health and nothing else', async () => {
    const answer = await hostd.request('/health', { token: null })
    expect(answer.status).toBe(200)
    expect(healthReply.parse(answer.body).ok).toBe(true)
  })

  it('refuses a token that is absent, empty, wrong, doubled or joined', async () => {
    expect(await raw([...ownHost(), ...token()])).toBe('200')
    expect(await raw(ownHost())).toBe('403 forbidden')
    expect(await raw([...ownHost(), tokenHeader, ''])).toBe('403 forbidden')
    expect(await raw([...ownHost(), tokenHeader, `${host.token}x`])).toBe('403 forbidden')
    expect(await raw([...ownHost(), ...token(), ...token()])).toBe('403 forbidden')
    expect(await raw([...ownHost(), ...token(), tokenHeader, 'other'])).toBe('403 forbidden')
    expect(await raw([...ownHost(), tokenHeader, `${host.token}, ${host.token}`])).toBe(
      '403 forbidden',
    )
  })

  it('answers 503 while the host has no token it can trust, and takes a new token without a restart', async () => {
    const states: (() => void)[] = [
      () => writeFileSync(host.paths.tokenFile, '\n'),
      () => chmodSync(host.paths.tokenFile, 0o660),
      () => {
        rmSync(host.paths.tokenFile)
      },
    ]
    for (const make of states) {
      make()
      expect(await raw([...ownHost(), ...token()])).toBe('503 token_not_configured')
    }
    writeFileSync(host.paths.tokenFile, 'rotated', { mode: 0o640 })
    expect(await raw([...ownHost(), ...token()])).toBe('403 forbidden')
    expect(await raw([...ownHost(), tokenHeader, 'rotated'])).toBe('200')
  })

  const tokenFile = (): string => host.paths.tokenFile
  const givenAway = process.getuid?.() === 0
  it.each([
    ['a file that others can read', () => chmodSync(tokenFile(), 0o644), 'lets others read it'],
    [
      'a secrets folder that others can write',
      () => chmodSync(dirname(tokenFile()), 0o777),
      'lets group or others write',
    ],
    [
      'a sticky secrets folder that others can write',
      () => chmodSync(dirname(tokenFile()), 0o1777),
      'lets group or others write',
    ],
    [
      'a settings folder that a group can write',
      () => chmodSync(host.paths.etc, 0o775),
      'lets group or others write',
    ],
    [
      'a file with a second name',
      () => linkSync(tokenFile(), `${tokenFile()}.other`),
      'has 2 hard links',
    ],
    ...(givenAway
      ? ([
          [
            'a file of another user',
            () => chownSync(tokenFile(), 12_345, 0),
            'belongs to user 12345',
          ],
          [
            'a secrets folder of another user',
            () => chownSync(dirname(tokenFile()), 12_345, 0),
            'belongs to user 12345',
          ],
        ] as const)
      : []),
  ] as const)('H6 answers 503 for %s, and says why', async (_what, spoil, why) => {
    spoil()
    try {
      const { status, body } = await hostd.request('/api/runs')
      expect([status, body]).toMatchObject([503, { error_class: 'token_not_configured' }])
      expect(body['detail']).toContain(why)
      expect(body['detail']).not.toContain(host.token)
      expect(await raw(ownHost())).toBe('503 token_not_configured')
    } finally {
      if (givenAway) for (const path of [tokenFile(), dirname(tokenFile())]) chownSync(path, 0, 0)
    }
  })

  it('says nothing about routes, methods or actions before the token', async () => {
    const requests: [string, string][] = [
      ['/api/nothing', 'GET'],
      ['/api/exec', 'POST'],
      ['/api/exec', 'DELETE'],
      ['/', 'GET'],
      ['/api/runs', 'HEAD'],
      ['/api/runs', 'OPTIONS'],
      ['/api/%zz', 'GET'],
    ]
    for (const [path, method] of requests) {
      const { status } = await rawRequest(
        { port: hostd.port },
        { path, method, headers: ownHost() },
      )
      expect([path, method, status]).toEqual([path, method, 403])
    }
    expect(await raw([...ownHost(), ...token()], '/api/nothing')).toBe('404 not_found')
    expect(await raw([...ownHost(), ...token()], '/api/exec', 'DELETE')).toBe('404 not_found')
    expect(await raw([...ownHost(), ...token()], '/api/%zz')).toBe('400 invalid_request')
  })

  it('answers only to its own names', async () => {
    for (const name of [`localhost:${hostd.port}`, 'aiops-1.tail.example', 'AIOPS-1.tail.example'])
      expect([name, await raw(['Host', name, ...token()])]).toEqual([name, '200'])
    for (const name of [
      'evil.example',
      `evil.example:${hostd.port}`,
      '127.0.0.1',
      'localhost',
      `127.0.0.1:${hostd.port + 1}`,
    ])
      expect([name, await raw(['Host', name, ...token()])]).toEqual([name, '403 host_refused'])
    expect(await raw(['Host', 'evil.example'], '/health')).toBe('403 host_refused')
  })

  it('takes an Origin or Referer of the console only', async () => {
    for (const page of [
      'http://127.0.0.1:18787',
      'http://localhost:18787',
      'https://aiops-1.tail.example',
      'http://127.0.0.1:19000',
    ])
      expect([page, await raw([...ownHost(), ...token(), 'Origin', page])]).toEqual([page, '200'])
    expect(
      await raw([...ownHost(), ...token(), 'Referer', 'http://127.0.0.1:18787/runs?x=1']),
    ).toBe('200')
    for (const page of [
      'null',
      'http://evil.example',
      'http://127.0.0.1:18788',
      'http://aiops-1.tail.example',
      '',
    ])
      expect([page, await raw([...ownHost(), ...token(), 'Origin', page])]).toEqual([
        page,
        '403 origin_refused',
      ])
    expect(
      await raw([
        ...ownHost(),
        ...token(),
        'Referer',
        'http://evil.example/http://127.0.0.1:18787',
      ]),
    ).toBe('403 origin_refused')
  })

  it('refuses what came through a funnel, with or without a token', async () => {
    expect(await raw([...ownHost(), ...token(), 'Tailscale-Funnel-Request', '?1'])).toBe(
      '403 funnel_refused',
    )
    expect(await raw([...ownHost(), 'Tailscale-Funnel-Request', '?1'], '/health')).toBe(
      '403 funnel_refused',
    )
    expect(hostd.said()).toContain('funnel_refused')
  })

  it('checks the token before it reads a body, and then for JSON of a bounded size', async () => {
    const json = ['Content-Type', 'application/json']
    const big = JSON.stringify({ action: 'doctor', params: { x: 'x'.repeat(70_000) } })
    const length = ['Content-Length', String(big.length)]
    expect(
      await raw([...ownHost(), ...json, 'Content-Length', '5'], '/api/exec', 'POST', '{bad}'),
    ).toBe('403 forbidden')
    expect(await raw([...ownHost(), ...json, ...length], '/api/exec', 'POST', big)).toBe(
      '403 forbidden',
    )
    expect(
      await raw([...ownHost(), ...token(), ...json, ...length], '/api/exec', 'POST', big),
    ).toBe('413 body_too_large')
    expect(
      await raw(
        [...ownHost(), ...token(), ...json, 'Transfer-Encoding', 'chunked'],
        '/api/exec',
        'POST',
        big,
      ),
    ).toBe('413 body_too_large')
    expect(
      await raw(
        [...ownHost(), ...token(), ...json, 'Content-Length', '5'],
        '/api/exec',
        'POST',
        '{bad}',
      ),
    ).toBe('400 invalid_request')
    expect(
      await raw(
        [...ownHost(), ...token(), 'Content-Type', 'text/plain', 'Content-Length', '2'],
        '/api/exec',
        'POST',
        '{}',
      ),
    ).toBe('415 unsupported_media_type')
    expect(
      await raw(
        [
          ...ownHost(),
          ...token(),
          'Content-Type',
          'application/x-www-form-urlencoded',
          'Content-Length',
          '2',
        ],
        '/api/exec',
        'POST',
        '{}',
      ),
    ).toBe('415 unsupported_media_type')
  })

  it('answers an unknown action 404 and an unknown field 400, naming it', async () => {
    const post = async (body: unknown) => {
      const answer = await hostd.request('/api/exec', { method: 'POST', body })
      return [answer.status, answer.body['error_class'], answer.body['detail']]
    }
    expect(await post({ action: 'rm' })).toEqual([
      404,
      'unknown_action',
      expect.stringContaining('rm'),
    ])
    expect(await post({ action: 'toString' })).toEqual([404, 'unknown_action', expect.any(String)])
    expect(await post({ action: 'doctor', argv: ['x'] })).toEqual([
      400,
      'invalid_request',
      expect.stringContaining('argv'),
    ])
    expect(await post({ action: 'tail_guard_log', params: { lines: 501 } })).toEqual([
      400,
      'invalid_request',
      expect.stringContaining('lines'),
    ])
    expect(await post({ action: 'doctor', params: { x: 1 } })).toEqual([
      400,
      'invalid_request',
      expect.stringContaining('x'),
    ])
    // B11
    expect(await post({ action: 'doctor', params: { x: '\ud800' } })).toEqual([
      400,
      'invalid_request',
      expect.stringContaining('params.x: the text holds half of a character'),
    ])
    expect((await hostd.request('/api/runs?limit=0')).body).toMatchObject({
      error_class: 'invalid_request',
      detail: expect.stringContaining('limit'),
    })
    expect((await hostd.request('/api/runs?nonsense=1')).body).toMatchObject({
      error_class: 'invalid_request',
      detail: expect.stringContaining('nonsense'),
    })
    expect((await hostd.request('/api/status?x=1')).status).toBe(400)
    expect((await hostd.request('/api/runs?id=../../etc')).status).toBe(400)
  })

  it('answers what is no request of its routes with 400 and ends the connection, in order', async () => {
    const over = { path: join(host.dir, 'hostd.sock') }
    const servers = [
      [{ host: '127.0.0.1', port: hostd.port }, `127.0.0.1:${hostd.port}`],
      [over, 'localhost'],
    ] as const
    for (const [target, name] of servers)
      for (const [what, bytes, statuses] of httpContract(name)) {
        const said = await exchange(target, bytes)
        expect([name, what, statusesOf(said)]).toEqual([name, what, statuses])
        // Node itself answers a request without Host, and says no more.
        if (what !== 'no Host header') expect(said).toContain('"error_class":"invalid_request"')
      }
  })

  it('serves the same rules over its unix socket', async () => {
    const over = async (headers: string[]) =>
      (
        await rawRequest(
          { socketPath: join(host.dir, 'hostd.sock') },
          { path: '/api/runs', headers },
        )
      ).status
    expect(await over(['Host', 'localhost', ...token()])).toBe(200)
    expect(await over(['Host', 'localhost'])).toBe(403)
    expect(await over(['Host', 'evil.example', ...token()])).toBe(403)
  })
})

it('H1 ends a connection that says nothing, or never ends its header, after ten seconds', async () => {
  const ends = await held
  expect(ends.map(([what, status]) => [what, status])).toEqual([
    ['silence', 408],
    ['a header that never ends', 408],
    ['silence after an answer', 200],
  ])
  for (const [, , seconds] of ends) {
    expect(seconds).toBeGreaterThan(9)
    expect(seconds).toBeLessThan(30)
  }
})
