import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hostSettings } from '#shared/config'
import type { ConnectorReport } from '#shared/connectors'
import { httpToken } from '#shared/connectors/http-token'
import type { ConnectField } from '#shared/connectors/ways'
import { requiredConnectors, usedConnectors } from '#shared/connectors/used'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { checkConnectors } from '#ops/features/connectors/check-connectors'
import {
  acceptsToken,
  listen,
  ownCertificate,
  silentPeer,
  webPeer,
  type WebPeer,
} from '../../../support/connector-peers.ts'
import { testHost, type TestHost } from '../../../support/hostd.ts'

const token = 'tok-canary-0123456789abcdef'
const closing: (() => unknown)[] = []
let host: TestHost
let service: WebPeer
let folder: string

beforeAll(async () => {
  host = testHost()
  service = await webPeer(acceptsToken(`Bearer ${token}`))
  folder = connectorSecrets(host.paths)
})
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o750)
  service.answer = acceptsToken(`Bearer ${token}`)
  service.requests.length = 0
  configure({})
})
afterAll(async () => {
  for (const close of closing) await close()
  await service.close()
  await host.remove()
})

const configure = (http_token: Record<string, unknown>): void =>
  writeFileSync(host.paths.hostSettings, JSON.stringify({ name: 'test-host', http_token }))
const file = 'http_token.json'
function store(access_token: string = token, url: string = service.url): void {
  const content = { schema_version: 1, access_token, settings: { url } }
  writeFileSync(join(folder, file), JSON.stringify(content))
  chmodSync(join(folder, file), 0o640)
}
async function check(): Promise<ConnectorReport> {
  const settings = readHostSettings(host.paths)
  const [report] = await checkConnectors({
    settings,
    paths: host.paths,
    signal: new AbortController().signal,
    only: ['http_token'],
  })
  if (report === undefined) throw new Error('there is no report')
  expect(JSON.stringify(report)).not.toContain(token)
  return report
}

describe('a host without the connector', () => {
  it('uses those that every host needs, and this one too once it has an address', () => {
    expect(usedConnectors(readHostSettings(host.paths))).toEqual(requiredConnectors)
    configure({ url: 'https://api.example.com/v1/me' })
    expect(usedConnectors(readHostSettings(host.paths))).toEqual([
      ...requiredConnectors,
      'http_token',
    ])
  })

  it.each([
    ['http://api.example.com/'],
    ['https://user:pass@api.example.com/'],
    ['https://api.example.com/?key=1'],
  ])('takes no address that is %s', (url) => {
    expect(hostSettings.safeParse({ http_token: { url } }).success).toBe(false)
  })

  it.each(['Host', 'content-length', 'Cookie', 'X: y', 'a\r\nb', ''])(
    'sends no token in %j',
    (header) => {
      expect(hostSettings.safeParse({ http_token: { header } }).success).toBe(false)
    },
  )
})

describe('a check of the token', () => {
  /** A JWT that ends at this time, Unix seconds. */
  const jwt = (exp: number): string =>
    ['{}', JSON.stringify({ exp }), 'signature']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.')
  const now = Math.floor(Date.now() / 1000)

  it('is ready once the service accepted it, in the header and with the word of the settings', async () => {
    store()
    configure({ url: `${service.url}/v1/me` })
    const ready = await check()
    expect([ready.state, ready.expires_at]).toEqual(['ready', undefined])
    expect(service.requests.map(({ path }) => path)).toEqual(['/v1/me', '/v1/me'])
    configure({ url: service.url, header: 'X-Api-Key', scheme: '', expected_status: [404] })
    service.answer = (request, response) =>
      response.writeHead(request.headers['x-api-key'] === token ? 404 : 401).end()
    expect((await check()).state).toBe('ready')
  })

  it('knows when a JWT ends', async () => {
    const value = jwt(now + 3600)
    store(value)
    configure({ url: service.url })
    service.answer = acceptsToken(`Bearer ${value}`)
    expect(await check()).toMatchObject({
      state: 'ready',
      expires_at: new Date((now + 3600) * 1000).toISOString(),
    })
  })

  it('judges the status alone, and reads no body, however large it is or slow', async () => {
    store()
    configure({ url: service.url, timeout_seconds: 5 })
    let poured = 0
    service.answer = (request, response) => {
      response.writeHead(request.headers.authorization === undefined ? 401 : 200)
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) poured += 65_536
      }
      response.on('drain', pour)
      pour()
    }
    expect((await check()).state).toBe('ready')
    expect(poured).toBeLessThan(32 * 1024 * 1024)
  })

  const status =
    (code: number, headers: Record<string, string> = {}) =>
    (): void => {
      service.answer = (_request, response) => response.writeHead(code, headers).end()
    }
  const faults: readonly [string, () => unknown, ConnectorReport['state'], string, RegExp][] = [
    [
      'no secret',
      () => rmSync(join(folder, file)),
      'not_configured',
      'CONNECTOR_NOT_CONFIGURED',
      /does not exist/,
    ],
    [
      'no address',
      () => configure({}),
      'not_configured',
      'CONNECTOR_NOT_CONFIGURED',
      /names no address/,
    ],
    [
      'a wrong token',
      () => store('another-token'),
      'invalid',
      'connector_refused',
      /refused the token \(401\)/,
    ],
    ['403', status(403), 'invalid', 'connector_refused', /403/],
    [
      'a JWT that ended',
      () => store(jwt(now - 60)),
      'expired',
      'connector_expired',
      /it ended at 20/,
    ],
    ['429', status(429), 'unreachable', 'connector_unreachable', /answered 429\. It is not known/],
    ['503', status(503), 'unreachable', 'connector_unreachable', /answered 503/],
    ['404', status(404), 'unreachable', 'connector_answer_unexpected', /answered 404, and not 200/],
    [
      'an address that answers everybody',
      status(200),
      'unreachable',
      'connector_answer_unexpected',
      /answers 200 to this address also without the token\. It is not known/,
    ],
    [
      'a service that is busy when it is asked without the token',
      () => {
        service.answer = (request, response) =>
          response.writeHead(request.headers.authorization === undefined ? 503 : 200).end()
      },
      'unreachable',
      'connector_unreachable',
      /answered 503/,
    ],
    [
      'a token with CR and LF',
      () => store('tok-canary\r\nX-Evil: 1'),
      'invalid',
      'connector_secret_invalid',
      /access_token/,
    ],
    [
      'a token of another origin',
      () => store(token, 'https://other.example'),
      'invalid',
      'connector_secret_invalid',
      /was connected for https:\/\/other\.example/,
    ],
  ]
  it.each(faults)('reports %s by its class', async (_name, make, state, errorClass, detail) => {
    store()
    configure({ url: service.url })
    await make()
    expect(await check()).toMatchObject({
      state,
      error_class: errorClass,
      detail: expect.stringMatching(detail),
    })
  })

  it('does not follow a redirect, and sends the token to its address only', async () => {
    const other = await webPeer((_request, response) => response.writeHead(200).end())
    closing.push(other.close)
    store()
    configure({ url: service.url })
    status(302, { location: `${other.url}/login` })()
    expect(await check()).toMatchObject({
      error_class: 'connector_answer_unexpected',
      detail: expect.stringMatching(/does not follow it/),
    })
    expect(other.requests).toEqual([])
  })

  it('sends no token to a peer whose certificate it does not trust, or that does not answer', async () => {
    const { dir, key, cert } = ownCertificate()
    let requests = 0
    const tls = await listen(
      createServer({ key: readFileSync(key), cert: readFileSync(cert) }, () => (requests += 1)),
    )
    const silent = await silentPeer()
    closing.push(tls.close, silent.close, () => rmSync(dir, { recursive: true }))
    const own = `https://127.0.0.1:${tls.port}`
    store(token, own)
    configure({ url: own })
    expect(await check()).toMatchObject({ state: 'unreachable', error_class: 'connector_insecure' })
    expect(requests).toBe(0)
    const slow = `http://127.0.0.1:${silent.port}`
    store(token, slow)
    configure({ url: slow, timeout_seconds: 1 })
    expect(await check()).toMatchObject({
      state: 'unreachable',
      error_class: 'connector_unreachable',
    })
  })
})

describe('the form', () => {
  const problem = (name: string, typed: string): string | null => {
    const fields: readonly ConnectField[] = httpToken.ways.header.fields
    return fields.find((field) => field.name === name)?.problem?.(typed) ?? null
  }
  it.each([
    ['url', 'api.example.com', /must|Invalid/],
    ['url', 'http://api.example.com', /https/],
    ['access_token', 'short', /at least 8/],
    ['access_token', 'tok-canary\r\nX-Evil: 1', /one word/],
    ['header', 'Host', /header of the service/],
    ['expected_status', '200, ok', /number/],
    ['expected_status', '401', /401/],
  ])('says what is wrong with the %s %j', (name, typed, sentence) => {
    expect(problem(name, typed)).toMatch(sentence)
    expect(problem(name, typed)).not.toContain('canary')
  })
})
