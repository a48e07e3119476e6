import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve, type Served } from '../../../desktop/serve/server.ts'
import { exchange, httpContract, statusesOf } from '../../support/http-contract.ts'
import { operatorBench, type OperatorBench } from '../../support/operator-bench.ts'

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

describe('hq serve over HTTP', () => {
  let bench: OperatorBench
  let served: Served
  let page: string

  beforeAll(async () => {
    page = mkdtempSync(join(tmpdir(), 'page-test-'))
    writeFileSync(join(page, 'index.html'), '<!doctype html><title>HQ</title>')
    writeFileSync(join(page, '.hidden'), 'hidden')
    bench = operatorBench()
    served = await serve({
      operator: bench.operator,
      page,
      port: 0,
      log: (text) => bench.logged.push(text),
    })
  })
  afterAll(async () => {
    await served.close()
    await bench.remove()
    rmSync(page, { recursive: true, force: true })
  })

  /** Raw, so that every header is exactly as given. `null` leaves one out. */
  const send = (
    method: string,
    path: string,
    headers: Record<string, string | string[] | null> = {},
    body?: string,
  ) =>
    new Promise<Answer>((resolve, reject) => {
      const all = {
        host: new URL(served.origin).host,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      }
      const given: Record<string, string | string[]> = {}
      for (const [name, value] of Object.entries(all)) if (value !== null) given[name] = value
      const { hostname, port } = new URL(served.origin)
      const call = request(
        { hostname, port, path, method, headers: given, setHost: false },
        (reply) => {
          const parts: Buffer[] = []
          reply.on('data', (part: Buffer) => parts.push(part))
          reply.on('end', () =>
            resolve({
              status: reply.statusCode ?? 0,
              headers: reply.headers,
              body: Buffer.concat(parts).toString(),
            }),
          )
        },
      )
      call.on('error', reject)
      call.end(body)
    })
  const secret = (): Record<string, string> => ({ 'x-openclaw-hq-secret': served.secret })
  const classOf = ({ body }: Answer): string =>
    (JSON.parse(body) as { problem: { error_class: string } }).problem.error_class

  it('answers its page with the secret, on the bridge', async () => {
    const reply = await send(
      'POST',
      '/bridge/call/app.info',
      { ...secret(), origin: served.origin, 'sec-fetch-site': 'same-origin' },
      '{}',
    )
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.body)).toEqual({
      ok: true,
      value: {
        mode: 'serve',
        version: '0.1.0',
        platform: process.platform,
        operator: true,
        demo: false,
      },
    })
  })

  it.each([
    ['without the secret', {}],
    ['with a wrong secret', { 'x-openclaw-hq-secret': '0'.repeat(64) }],
    ['with the secret cut short', { 'x-openclaw-hq-secret': '0' }],
  ])('refuses the bridge %s', async (_name, headers) => {
    const reply = await send('POST', '/bridge/call/app.info', headers, '{}')
    expect([reply.status, classOf(reply)]).toEqual([403, 'forbidden'])
  })

  it('requires the secret however the address of the bridge is spelled', async () => {
    for (const path of [
      '/%62ridge/call/app.info',
      '/bridg%65/call/app.info',
      '/%62ridge/events',
      '/bridge/nothing',
    ]) {
      const reply = await send('POST', path, {}, '{}')
      expect([path, reply.status, classOf(reply)]).toEqual([path, 403, 'forbidden'])
    }
    // A whole URL is what a proxy is asked with; this is none.
    for (const headers of [{}, secret()]) {
      const reply = await send('POST', `${served.origin}/bridge/call/app.info`, headers, '{}')
      expect([reply.status, classOf(reply)]).toEqual([400, 'invalid_request'])
    }
  })

  it('answers what is no request of its routes with 400 and ends the connection, in order', async () => {
    const { host, hostname, port } = new URL(served.origin)
    for (const [what, bytes, statuses] of httpContract(host)) {
      const said = await exchange(
        { host: hostname, port: Number(port) },
        bytes.replaceAll('/health', '/openclaw-mode.json'),
      )
      expect([what, statusesOf(said)]).toEqual([what, statuses])
    }
  })

  it.each([
    ['host.artifacts', String.raw`{"path":"a\ud800"}`],
    ['proofs.file', String.raw`{"path":"\udfff/x"}`],
    ['next.set', String.raw`{"text":"\ud83d"}`],
    ['app.info', String.raw`{"\ud800":1}`],
  ])('B11 refuses half of a character for %s as an invalid request', async (name, body) => {
    const reply = await send('POST', `/bridge/call/${name}`, secret(), body)
    expect(classOf(reply)).toBe('invalid_request')
    expect(reply.body).toContain('half of a character')
  })

  it('refuses the secret when it is sent twice', async () => {
    const reply = await send(
      'POST',
      '/bridge/call/app.info',
      { 'x-openclaw-hq-secret': [served.secret, served.secret] },
      '{}',
    )
    expect([reply.status, classOf(reply)]).toEqual([403, 'forbidden'])
  })

  it.each(['evil.example', 'evil.example:8790', '127.0.0.1', 'localhost.evil.example', '[::1]:1'])(
    'refuses the Host %s, also for the page',
    async (host) => {
      for (const [method, path] of [
        ['GET', '/'],
        ['POST', '/bridge/call/app.info'],
      ] as const) {
        const reply = await send(
          method,
          path,
          { ...secret(), host },
          method === 'POST' ? '{}' : undefined,
        )
        expect([reply.status, classOf(reply)]).toEqual([403, 'host_refused'])
      }
    },
  )

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['the other name of this machine', { origin: 'http://localhost:1' }],
    ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another port', { 'sec-fetch-site': 'same-site' }],
  ])('refuses a request from %s although it holds the secret', async (_name, headers) => {
    const reply = await send('POST', '/bridge/call/app.info', { ...secret(), ...headers }, '{}')
    expect([reply.status, classOf(reply)]).toEqual([403, 'origin_refused'])
  })

  it('grants no other site anything: no CORS answer, no preflight', async () => {
    const reply = await send('OPTIONS', '/bridge/call/app.info', {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-openclaw-hq-secret',
    })
    expect(reply.status).toBe(403)
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual(
      [],
    )
  })

  it('names an unknown procedure and a bad field', async () => {
    expect(classOf(await send('POST', '/bridge/call/app.explode', secret(), '{}'))).toBe(
      'unknown_action',
    )
    expect(classOf(await send('POST', '/bridge/call/constructor', secret(), '{}'))).toBe(
      'unknown_action',
    )
    const reply = await send('POST', '/bridge/call/ship.cancel', secret(), '{"run_id":"../../etc"}')
    expect(JSON.parse(reply.body)).toMatchObject({
      ok: false,
      problem: {
        error_class: 'invalid_request',
        message: expect.stringContaining('run_id: not a run id') as string,
      },
    })
  })

  it('refuses a body that is too large, no JSON, or of another type', async () => {
    const large = await send(
      'POST',
      '/bridge/call/next.set',
      secret(),
      JSON.stringify({ text: 'x'.repeat(300 * 1024) }),
    )
    expect([large.status, classOf(large)]).toEqual([413, 'body_too_large'])
    expect(classOf(await send('POST', '/bridge/call/next.set', secret(), '{'))).toBe(
      'invalid_request',
    )
    expect(
      classOf(
        await send(
          'POST',
          '/bridge/call/next.set',
          { ...secret(), 'content-type': 'application/x-www-form-urlencoded' },
          'text=x',
        ),
      ),
    ).toBe('unsupported_media_type')
  })

  it('serves the page with a policy that allows no inline script and no frame', async () => {
    const reply = await send('GET', '/', { 'sec-fetch-site': 'none' })
    expect(reply.status).toBe(200)
    const policy = String(reply.headers['content-security-policy'])
    expect(policy).toMatch(/default-src 'none'; script-src 'self';/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(reply.headers['x-content-type-options']).toBe('nosniff')
    expect(reply.body).not.toContain(served.secret)
    expect((await send('GET', '/runs/inner', { accept: 'text/html' })).body).toContain(
      '<title>HQ</title>',
    )
    expect((await send('GET', '/missing.js')).status).toBe(404)
  })

  it('says which kind of server it is, and gives nothing outside the page folder', async () => {
    expect(JSON.parse((await send('GET', '/openclaw-mode.json')).body)).toEqual({ mode: 'serve' })
    for (const path of [
      '/.hidden',
      '/../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
    ])
      expect((await send('GET', path)).status).toBeGreaterThanOrEqual(400)
  })

  it('leads to the address with the secret once, and only once', async () => {
    const ticket = new URL(served.openOnce()).pathname
    const first = await send('GET', ticket)
    expect([first.status, first.headers['location']]).toEqual([302, `/#secret=${served.secret}`])
    expect((await send('GET', ticket)).status).toBe(404)
    expect((await send('GET', '/open/constructor')).status).toBe(404)
  })

  it('starts on loopback only', async () => {
    await expect(
      serve({ operator: bench.operator, page, port: 0, host: '0.0.0.0', log: () => undefined }),
    ).rejects.toMatchObject({ errorClass: 'invalid_request' })
  })

  it('says that a port is taken', async () => {
    await expect(
      serve({
        operator: bench.operator,
        page,
        port: Number(new URL(served.origin).port),
        log: () => undefined,
      }),
    ).rejects.toMatchObject({ errorClass: 'port_in_use' })
  })
})
