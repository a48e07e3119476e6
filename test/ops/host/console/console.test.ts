import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { artifactsReply, errorBody } from '#shared/api'
import { hostSettings } from '#shared/config'
import { consoleApp } from '#ops/host/console/server'
import { exchange, httpContract, statusesOf } from '../../../support/http-contract.ts'
import { rawRequest, until } from '../../../support/hostd.ts'

const token = 'canary-token-0815'
const dir = mkdtempSync(join(tmpdir(), 'openclaw-console-'))
let hostd: Server
let app: FastifyInstance
let url: string
let port: number
/** What the peer in hostd's place was asked, and the streams it holds open. */
const asked: { method: string; path: string; headers: Record<string, unknown>; body: string }[] = []
const streams = new Set<{ write(text: string): void; closed: boolean }>()

beforeAll(async () => {
  hostd = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      asked.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: body.length > 100 ? String(body.length) : body,
      })
      if (request.headers['x-openclaw-admin-token'] !== token)
        return response
          .writeHead(403, { 'content-type': 'application/json' })
          .end('{"ok":false,"error_class":"forbidden","detail":"no","next_auto_fix":"enrol_host"}')
      if (request.url === '/api/runs/x/events') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        const stream = {
          write: (text: string) => {
            response.write(text)
          },
          closed: false,
        }
        response.on('close', () => {
          stream.closed = true
        })
        return streams.add(stream)
      }
      return response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
    })
  })
  await new Promise<void>((resolve) => {
    hostd.listen(0, '127.0.0.1', resolve)
  })
  for (const folder of ['page/assets', 'artifacts/deploy/one'])
    mkdirSync(join(dir, folder), { recursive: true })
  writeFileSync(join(dir, 'page/index.html'), '<!doctype html><title>HQ</title>')
  writeFileSync(join(dir, 'page/assets/index.js'), 'export {}')
  writeFileSync(join(dir, 'artifacts/deploy/one/deploy_result.json'), '{"overall":"PASS"}')
  writeFileSync(join(dir, 'artifacts/.maintenance_mode'), '{}')
  writeFileSync(join(dir, 'secret'), 'outside')
  symlinkSync(join(dir, 'secret'), join(dir, 'artifacts/link'))
  app = await consoleApp({
    page: join(dir, 'page'),
    artifacts: join(dir, 'artifacts'),
    hostdUrl: `http://127.0.0.1:${(hostd.address() as AddressInfo).port}`,
    settings: hostSettings.parse({ hostnames: ['aiops-1.example.ts.net'] }),
    version: '1.2.3',
    port: () => (app.server.address() as AddressInfo).port,
  })
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
})
afterAll(async () => {
  await app.close()
  hostd.closeAllConnections()
  hostd.close()
  rmSync(dir, { recursive: true, force: true })
})

const withToken = { 'x-openclaw-admin-token': token }
const raw = (path: string, headers: string[] = []) =>
  rawRequest({ port }, { path, headers: ['host', `127.0.0.1:${port}`, ...headers] })

describe('the page', () => {
  it('is served with a policy that allows no inline script and no framing', async () => {
    const answer = await fetch(url)
    expect(await answer.text()).toContain('<title>HQ</title>')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await fetch(`${url}/assets/index.js`)).headers.get('content-type')).toContain(
      'javascript',
    )
  })

  it('is served for a deep link, but an unknown file is not found', async () => {
    const page = await fetch(`${url}/runs/20261122T121000Z-bbbbbbbb`, {
      headers: { accept: 'text/html' },
    })
    expect([page.status, await page.text()]).toEqual([200, '<!doctype html><title>HQ</title>'])
    expect((await fetch(`${url}/assets/gone.js`)).status).toBe(404)
  })

  it('says that this is the console, and whether the page can be shown', async () => {
    expect(await (await fetch(`${url}/openclaw-mode.json`)).json()).toEqual({ mode: 'console' })
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ ok: true, version: '1.2.3' })
  })
})

it('answers what is no request of its routes with 400 and ends the connection, in order', async () => {
  for (const [what, bytes, statuses] of httpContract(`127.0.0.1:${port}`)) {
    const said = await exchange({ host: '127.0.0.1', port }, bytes)
    expect([what, statusesOf(said)]).toEqual([what, statuses])
  }
  expect(app.server).toMatchObject({ headersTimeout: 10_000, keepAliveTimeout: 10_000 })
})

describe('hostd behind it', () => {
  it("gets the caller's token, method and body, its own Host, and no header that could be forged", async () => {
    const answer = await fetch(`${url}/api/exec?x=1`, {
      method: 'POST',
      headers: {
        ...withToken,
        'content-type': 'application/json',
        origin: url,
        'tailscale-user-login': 'root@example',
        'x-forwarded-for': '1.2.3.4',
      },
      body: '{"action":"doctor"}',
    })
    expect([answer.status, await answer.json()]).toEqual([200, { ok: true }])
    expect(asked.at(-1)).toMatchObject({
      method: 'POST',
      path: '/api/exec?x=1',
      body: '{"action":"doctor"}',
      headers: { ...withToken, host: `127.0.0.1:${(hostd.address() as AddressInfo).port}` },
    })
    expect(Object.keys(asked.at(-1)?.headers ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(tailscale|x-forwarded|origin)/)]),
    )
  })

  it('answers 403 without the token: the console holds none', async () => {
    expect((await fetch(`${url}/api/status`)).status).toBe(403)
    expect(asked.at(-1)?.headers).not.toHaveProperty('x-openclaw-admin-token')
  })

  it('receives a large upload', async () => {
    const answer = await fetch(`${url}/api/ship/20261122T121000Z-bbbbbbbb`, {
      method: 'PUT',
      headers: { ...withToken, 'content-type': 'application/json' },
      body: 'x'.repeat(5_000_000),
    })
    expect(answer.status).toBe(200)
    expect(asked.at(-1)).toMatchObject({ method: 'PUT', body: '5000000' })
  })

  it('streams at once, and its connection ends with the page', async () => {
    const abort = new AbortController()
    const answer = await fetch(`${url}/api/runs/x/events`, {
      headers: withToken,
      signal: abort.signal,
    })
    const [stream] = streams
    const reader = answer.body?.getReader()
    for (const text of ['id: 1\n\n', 'id: 2\n\n']) {
      stream?.write(text)
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(text)
    }
    abort.abort()
    await until('hostd to see the end of the stream', () => stream?.closed)
  })

  it('answers beside any number of open streams and half-sent bodies', async () => {
    const before = streams.size
    const callers = Array.from({ length: 300 }, (_, n) => {
      const caller = connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .resume()
      // Half of them are shown a stream; the others have no token, and begin a body that never comes.
      caller.write(
        n % 2 === 0
          ? `GET /api/runs/x/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx-openclaw-admin-token: ${token}\r\n\r\n`
          : `POST /api/exec HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: ` +
              `application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      )
      return caller
    })
    try {
      await until('every stream to be open', () => streams.size - before === 150)
      expect(
        (
          await fetch(`${url}/api/status`, {
            headers: withToken,
            signal: AbortSignal.timeout(120_000),
          })
        ).status,
      ).toBe(200)
    } finally {
      for (const caller of callers) caller.destroy()
    }
  })

  it('receives requests without the headers that are only about the connection', async () => {
    const own = [
      'keep-alive',
      'timeout=5',
      'proxy-connection',
      'keep-alive',
      'te',
      'trailers',
      'upgrade',
      'h2c',
      'expect',
      '100-continue',
    ]
    const answer = await rawRequest(
      { port },
      {
        method: 'POST',
        path: '/api/exec',
        headers: [
          'host',
          `127.0.0.1:${port}`,
          'x-openclaw-admin-token',
          token,
          'content-type',
          'application/json',
          'content-length',
          '2',
          ...own,
        ],
        body: '{}',
      },
    )
    expect(answer.status).toBe(200)
    expect(asked.at(-1)).toMatchObject({ path: '/api/exec', body: '{}' })
    for (const name of ['proxy-connection', 'te', 'upgrade', 'expect'])
      expect(asked.at(-1)?.headers).not.toHaveProperty(name)
  })
})

describe('proof', () => {
  it('is served from the folder once hostd has confirmed the token', async () => {
    const before = asked.length
    const listing = await fetch(`${url}/api/artifacts/deploy/one`, { headers: withToken })
    expect(artifactsReply.parse(await listing.json()).entries).toEqual([
      { name: 'deploy_result.json', type: 'file', size: 18 },
    ])
    const file = await fetch(`${url}/api/artifacts/deploy/one/deploy_result.json`, {
      headers: withToken,
    })
    expect(await file.json()).toEqual({ overall: 'PASS' })
    expect(file.headers.get('content-security-policy')).toContain('sandbox')
    expect(asked.slice(before).every(({ path }) => path === '/api/maintenance')).toBe(true)
    expect(
      (await fetch(`${url}/api/artifacts`, { headers: { 'x-openclaw-admin-token': 'wrong' } }))
        .status,
    ).toBe(403)
  })

  it('never leaves the folder', async () => {
    for (const path of [
      '/api/artifacts/../secret',
      '/api/artifacts/%2e%2e/secret',
      '/api/artifacts/..%2fsecret',
      '/api/artifacts/link',
      '/api/artifacts/.maintenance_mode',
    ]) {
      const { status, body } = await raw(path, ['x-openclaw-admin-token', token])
      expect([path, status === 200 && body.includes('outside'), body.includes('outside')]).toEqual([
        path,
        false,
        false,
      ])
    }
    expect((await fetch(`${url}/api/artifacts/link`, { headers: withToken })).status).toBe(404)
  })
})

describe('the console', () => {
  const refused = async (headers: string[], errorClass: string): Promise<void> => {
    const before = asked.length
    const { status, body } = await rawRequest(
      { port },
      { path: '/api/status', headers: [...headers, 'x-openclaw-admin-token', token] },
    )
    expect([status, errorBody.parse(JSON.parse(body)).error_class]).toEqual([403, errorClass])
    expect(asked).toHaveLength(before)
  }
  it('refuses a request under another name', () =>
    refused(['host', 'evil.example'], 'host_refused'))
  it('refuses a page of another origin', () =>
    refused(['host', `127.0.0.1:${port}`, 'origin', 'https://evil.example'], 'origin_refused'))
  it('refuses a referring page of another origin', () =>
    refused(['host', `127.0.0.1:${port}`, 'referer', 'https://evil.example/x'], 'origin_refused'))
  it('refuses a request from the public internet', () =>
    refused(['host', `127.0.0.1:${port}`, 'tailscale-funnel-request', '?1'], 'funnel_refused'))
  it('answers its own page under its tailnet name', async () => {
    const { status } = await rawRequest(
      { port },
      {
        path: '/api/status',
        headers: [
          'host',
          'aiops-1.example.ts.net',
          'origin',
          'https://aiops-1.example.ts.net',
          'x-openclaw-admin-token',
          token,
        ],
      },
    )
    expect(status).toBe(200)
  })
})

it('says 502 hostd_unreachable when hostd is down, and still shows its page', async () => {
  hostd.closeAllConnections()
  await new Promise<void>((resolve) => {
    hostd.close(() => resolve())
  })
  for (const path of ['/api/status', '/api/artifacts']) {
    const answer = await fetch(`${url}${path}`, { headers: withToken })
    expect([path, answer.status, errorBody.parse(await answer.json()).error_class]).toEqual([
      path,
      502,
      'hostd_unreachable',
    ])
  }
  expect((await fetch(url)).status).toBe(200)
})
