import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { gmailScope } from '#shared/connectors/gmail'
import { gmailClient, gmailToken } from '#ops/features/connectors/index'
import { CallbackServer } from '../../../../desktop/operator/connectors/gmail/callback-server.ts'
import {
  addressesOf,
  readClientFile,
} from '../../../../desktop/operator/connectors/gmail/client-file.ts'
import { browse, googleHere, type GoogleHere } from '../../../support/google-here.ts'
import { send, start } from './gmail-kit.ts'

let google: GoogleHere
beforeAll(async () => {
  google = await googleHere()
})
afterAll(async () => await google.close())
beforeEach(() => {
  Object.assign(google, { api: null, offline: true, instead: null })
  Object.assign(google.person, { name: 'ada', allows: [gmailScope] })
  google.requests.length = 0
  google.bearers.length = 0
})

const tokenRequests = (): string[] => google.requests.filter((each) => each === 'POST /token')
const redirectOf = (opened: string): string =>
  new URL(opened).searchParams.get('redirect_uri') ?? ''
const stateOf = (opened: string): string => new URL(opened).searchParams.get('state') ?? ''

describe('connecting Gmail by the browser of this system', () => {
  it('gets a token that the host can use, and shows and keeps no secret', async () => {
    const { attempt, opened, ended } = start('oauth_desktop', { client: google.clientFile() })
    const url = new URL(await opened)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      scope: gmailScope,
      code_challenge_method: 'S256',
      access_type: 'offline',
      prompt: 'consent',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
    })
    expect(attempt.view()).toMatchObject({
      open_url: url.href,
      deadline: expect.any(String),
      steps: expect.arrayContaining([expect.objectContaining({ id: 'allow', state: 'you' })]),
    })
    const page = await browse(url.href)
    expect(page).toMatchObject({ status: 200, html: expect.stringContaining('Access received') })
    const { secrets, kept, shown } = await ended
    const token = gmailToken.schema.parse(secrets?.['oauth'])
    const client = gmailClient.schema.parse(secrets?.['client'])
    expect(Object.keys(secrets ?? {})).toEqual(['client', 'oauth'])
    expect(token).toMatchObject({ client_id: client.installed.client_id, scopes: [gmailScope] })
    expect([...kept]).toEqual([
      ['client', google.clientFile()],
      ['account', 'ada@example.test'],
    ])
    const code = new URL(page.url).searchParams.get('code') ?? ''
    expect(code.length).toBeGreaterThan(20)
    for (const secret of [
      google.client.client_secret,
      code,
      token.refresh_token,
      google.bearers[0] ?? '',
    ]) {
      expect(shown).not.toContain(secret)
      expect(page.html).not.toContain(secret)
    }
    // The browser loads its page again: a second callback, and a replay.
    expect(await browse(page.url)).toMatchObject({
      status: 409,
      html: expect.stringContaining('Received already'),
    })
    expect(tokenRequests()).toHaveLength(1)
  })

  it('refuses what is not the answer of this sign-in with a plain page, and goes on waiting', async () => {
    const { opened, ended } = start('oauth_desktop', { client: google.clientFile() })
    const url = await opened
    const [base, state] = [redirectOf(url), stateOf(url)]
    const canary = 'codeCanary0123456789'
    const good = `/?code=${canary}&state=${state}`
    const refused = [
      [{ path: `/?code=${canary}&state=another` }, 400],
      [{ path: `/?code=${canary}` }, 400],
      [{ path: `${good}&state=${state}` }, 400],
      [{ path: `${good}&code=second` }, 400],
      [{ path: `/?state=${state}` }, 400],
      [{ path: '/?error=access_denied&state=another' }, 400],
      [{ path: `${good}&error=access_denied` }, 400],
      [{ path: `/callback${good.slice(1)}` }, 404],
      [{ path: '/favicon.ico' }, 404],
      [{ path: `//127.0.0.1${good}` }, 404],
      [{ path: '*', method: 'OPTIONS' }, 404],
      [{ path: good, method: 'POST' }, 405],
      [{ path: '/', method: 'POST', body: good.slice(2) }, 405],
      [{ path: good, method: 'HEAD' }, 405],
      [{ path: good, headers: { host: 'attacker.example' } }, 421],
      [{ path: good, headers: { host: `localhost:${new URL(base).port}` } }, 421],
      [{ path: good, headers: { host: '127.0.0.1' } }, 421],
    ] as const
    for (const [request, status] of refused) {
      const page = await send(base, request)
      expect([request, page.status]).toEqual([request, status])
      expect(page.html).not.toMatch(/<script|canary|another\b(?! host)|attacker/i)
      expect(page.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
    }
    expect(tokenRequests()).toEqual([])
    expect(await browse(url)).toMatchObject({ status: 200 })
    expect((await ended).secrets).not.toBeNull()
  })

  /** The token endpoint answers this. */
  const tokenIs = (type: string, body: string) => (): void => {
    google.instead = ({ url }, response) => {
      if (url !== '/token') return false
      response.writeHead(200, { 'content-type': type }).end(body)
      return true
    }
  }
  it.each<[string, () => void, string, RegExp]>([
    [
      'denied',
      () => Object.assign(google.person, { allows: null }),
      'connector_denied',
      /refused in the browser \(access_denied\)/,
    ],
    [
      'fewer scopes',
      tokenIs(
        'application/json',
        '{"access_token":"canary-a","refresh_token":"canary-r","token_type":"Bearer","scope":"openid"}',
      ),
      'connector_scope_missing',
      /does not allow HQ to read mail/,
    ],
    [
      'another account than before',
      () => Object.assign(google.person, { name: 'eve' }),
      'connector_other_account',
      /is of eve@example\.test; expected was Ada@example\.test/,
    ],
    [
      'no refresh token',
      () => Object.assign(google, { offline: false }),
      'connector_refused',
      /gave no refresh token/,
    ],
    [
      'HTML for JSON',
      tokenIs('text/html', '<h1>canary-page</h1>'),
      'connector_answer_unexpected',
      /did not answer like a token endpoint/,
    ],
    [
      'an API that is out of order',
      () => Object.assign(google, { api: 500 }),
      'connector_unreachable',
      /answered 500/,
    ],
  ])('keeps nothing of a sign-in with %s', async (_what, make, errorClass, message) => {
    make()
    const { opened, ended } = start('oauth_desktop', {
      client: google.clientFile(),
      account: 'Ada@example.test',
    })
    const page = await browse(await opened)
    expect(page).toMatchObject({ status: 400, html: expect.stringContaining('Not accepted') })
    const end = await ended
    expect(end).toMatchObject({
      secrets: null,
      errorClass,
      message: expect.stringMatching(message),
    })
    expect(end.message).toMatch(/the secret on the host is unchanged|is not known|was received/i)
    expect([...end.kept]).toEqual([])
    expect(end.shown).not.toMatch(/canary/)
    for (const secret of [google.client.client_secret, ...google.bearers])
      expect(end.shown).not.toContain(secret)
  })

  it('takes one answer: a second one during the exchange is refused', async () => {
    const server = await CallbackServer.open('state-of-this-sign-in')
    const path = '/?state=state-of-this-sign-in&code='
    const first = send(server.redirectUri, { path: `${path}first` })
    const callback = await server.callback(60_000, new AbortController().signal)
    expect(callback.searchParams.get('code')).toBe('first')
    expect(await send(server.redirectUri, { path: `${path}second` })).toMatchObject({ status: 409 })
    server.end('granted')
    expect(await first).toMatchObject({ status: 200 })
    expect(await send(server.redirectUri, { path: `${path}first` })).toMatchObject({ status: 409 })
  })

  it('ends by its time limit and by cancelling; a browser that comes late gets a plain page', async () => {
    const server = await CallbackServer.open('state-of-this-sign-in')
    const late = server.callback(20, new AbortController().signal)
    await expect(late).rejects.toMatchObject({ errorClass: 'step_timeout' })
    server.end('refused')
    const path = '/?code=c&state=state-of-this-sign-in'
    expect(await send(server.redirectUri, { path })).toMatchObject({ status: 410 })

    const { attempt, opened, ended } = start('oauth_desktop', { client: google.clientFile() })
    const url = await opened
    attempt.cancel()
    expect(await ended).toMatchObject({ secrets: null })
    expect(attempt.view().end).toMatchObject({ state: 'cancelled' })
    expect(await browse(url)).toMatchObject({ status: 410 })
    expect(tokenRequests()).toEqual([])
  })

  it('asks the person to open the address when there is no browser', async () => {
    const { attempt, opened, ended } = start(
      'oauth_desktop',
      { client: google.clientFile() },
      { noBrowser: true },
    )
    const url = await opened
    await Promise.resolve()
    expect(attempt.view()).toMatchObject({
      open_url: url,
      waiting_for: expect.stringContaining('could not open your browser'),
    })
    await browse(url)
    expect((await ended).secrets).not.toBeNull()
  })
})

describe('the client file of Gmail', () => {
  const secret = 'GOCSPX-canary-of-a-client-0815'
  const file = (change: Record<string, unknown>): string =>
    JSON.stringify({ installed: { client_id: 'id', client_secret: secret, ...change } })
  const google = 'https://accounts.google.com/o/oauth2/auth'

  it('of Google is used with the present addresses of Google, whatever older ones it names', () => {
    for (const change of [
      {},
      { auth_uri: google, token_uri: 'https://oauth2.googleapis.com/token' },
      { auth_uri: google, token_uri: 'https://www.googleapis.com/oauth2/v3/token' },
      { auth_uri: 'https://accounts.google.com/Logout?continue=https://attacker.example' },
    ])
      expect(addressesOf(readClientFile(file(change)))).toEqual({
        issuer: 'https://accounts.google.com',
        authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
        token: 'https://oauth2.googleapis.com/token',
        device: 'https://oauth2.googleapis.com/device/code',
        api: 'https://gmail.googleapis.com',
      })
  })

  it.each([
    ['nothing', undefined, /no client file yet/],
    ['text', `{"installed": "${secret}`, /is not JSON/],
    ['a web client', JSON.stringify({ web: { client_secret: secret } }), /type "Web application"/],
    [
      'a service account',
      JSON.stringify({ type: 'service_account', private_key: secret }),
      /not as/,
    ],
    [
      'a file without a secret',
      JSON.stringify({ installed: { client_id: 'id' } }),
      /not as Google/,
    ],
    ['CR and LF in the secret', file({ client_secret: `${secret}\r\nx: y` }), /not as Google/],
    ['another host', file({ token_uri: 'https://attacker.example/token' }), /not of Google/],
    [
      'a host that ends like one',
      file({ token_uri: 'https://oauth2.googleapis.com.attacker.example/' }),
      /not of Google/,
    ],
    ['plain HTTP', file({ token_uri: 'http://oauth2.googleapis.com/token' }), /not of Google/],
    [
      'another port',
      file({ token_uri: 'https://oauth2.googleapis.com:444/token' }),
      /not of Google/,
    ],
    [
      'a user in the address',
      file({ token_uri: 'https://oauth2.googleapis.com@attacker.example/' }),
      /not of Google/,
    ],
    [
      'Google and this machine',
      file({ auth_uri: google, token_uri: 'http://127.0.0.1:9/token' }),
      /not of Google/,
    ],
    ['half of this machine', file({ token_uri: 'http://127.0.0.1:9/token' }), /not of Google/],
  ])('is refused when it is %s, with what to make in the console of Google', (_what, text, why) => {
    const read = (): unknown => addressesOf(readClientFile(text))
    expect(read).toThrow(why)
    expect(read).toThrow(/OAuth client of the type "Desktop app"/)
    expect(read).not.toThrow(new RegExp(secret))
  })
})
