import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, linkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectorReport, ConnectorState } from '#shared/connectors'
import { errorRule, type ErrorClass } from '#shared/errors'
import {
  connectorHost,
  cookie,
  login,
  secretTexts,
  session,
  tokenOf,
  type ConnectorHost,
} from '../../../support/connector-host.ts'
import { imapPeer, ownCertificate, silentPeer, webPeer } from '../../../support/connector-peers.ts'

let at: ConnectorHost
const closing: (() => unknown)[] = []
beforeAll(async () => {
  at = await connectorHost()
})
afterAll(async () => {
  for (const close of closing) await close()
  await at.remove()
})

/** One fault of a connector, and how a check must report it. */
interface Fault {
  readonly name: string
  readonly make: () => unknown
  readonly state: ConnectorState
  readonly errorClass: ErrorClass
  readonly detail: RegExp
}

const storage = 'kajabi_storage_state.json'
const aside = (name: string): string => {
  const to = join(at.host.dir, name)
  renameSync(join(at.folder, name), to)
  return to
}
const page =
  (status: number, headers: Record<string, string> = {}, body = '') =>
  () => {
    at.kajabi.answer = (_request, response) => {
      response.writeHead(status, headers).end(body)
    }
  }
const hour = 3600
const now = (): number => Math.floor(Date.now() / 1000)
/** A peer that takes every connection and never answers. */
const silent = async (): Promise<number> => {
  const peer = await silentPeer()
  closing.push(peer.close)
  return peer.port
}
/** An address where nothing listens any more. */
const gone = async (): Promise<string> => {
  const peer = await webPeer(() => undefined)
  await peer.close()
  return peer.url
}

const kajabiFaults: readonly Fault[] = [
  {
    name: 'no secret',
    make: () => rmSync(join(at.folder, storage)),
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /kajabi_storage_state\.json does not exist\. No request was sent/,
  },
  {
    name: 'a secret that others can read',
    make: () => chmodSync(join(at.folder, storage), 0o644),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0644, which lets others read it/,
  },
  {
    name: 'a secret that its group can write',
    make: () => chmodSync(join(at.folder, storage), 0o660),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0660, which lets group or others write/,
  },
  {
    name: 'a link instead of the secret',
    make: () => symlinkSync(aside(storage), join(at.folder, storage)),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /is a symbolic link/,
  },
  {
    name: 'a secret with a second name',
    make: () => linkSync(join(at.folder, storage), join(at.host.dir, `second-${Date.now()}`)),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /has 2 hard links/,
  },
  {
    name: 'a pipe instead of the secret',
    make: () => {
      rmSync(join(at.folder, storage))
      execFileSync('mkfifo', ['-m', '640', join(at.folder, storage)])
    },
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /is not a regular file/,
  },
  {
    name: 'a secret that is not JSON',
    make: () => at.write(storage, `{"cookies": ${session}`),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /is not JSON/,
  },
  {
    name: 'a secret with an unknown field',
    make: () => at.write(storage, { ...login(), [session]: 1 }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /the whole file \(unrecognized keys\)/,
  },
  {
    name: 'a secret that is too large',
    make: () => at.write(storage, `{"a":"${'x'.repeat(1024 * 1024)}"}`),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /more than 1048576/,
  },
  {
    name: 'a cookie of a foreign host',
    make: () => at.write(storage, login(cookie('id', session, { domain: '.evil.example' }))),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /cookies\.2 \(is of a host that kajabi\.hosts does not name\)/,
  },
  {
    name: 'the storage of a foreign page',
    make: () =>
      at.write(storage, {
        ...login(),
        origins: [{ origin: 'https://evil.example', localStorage: [] }],
      }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /origins\.0\.origin/,
  },
  {
    name: 'a cookie that would add a header',
    make: () => at.write(storage, login(cookie('id', `${session}\r\nx-more: 1`))),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /cookies\.2\.value \(is not a cookie value\)/,
  },
  {
    name: 'cookies that have expired',
    make: () =>
      at.write(storage, {
        cookies: [
          cookie('_kjb_session', session, { expires: now() - hour }),
          cookie('old', 'old-old-old', { expires: 1 }),
        ],
        origins: [],
      }),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /all of its 2 cookies .* have expired\. No request was sent/,
  },
  {
    name: 'no cookie for the page',
    make: () =>
      at.write(storage, {
        cookies: [cookie('_kjb_session', session, { path: '/elsewhere' })],
        origins: [],
      }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /has no cookie for/,
  },
  {
    name: 'a login that has ended',
    make: () =>
      at.write(storage, { cookies: [cookie('_kjb_session', 'ended0123456789')], origins: [] }),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /redirected to its login page/,
  },
  {
    name: 'a page that is forbidden',
    make: page(403),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /answered 403/,
  },
  {
    name: 'a page that asks for a password',
    make: page(
      200,
      { 'content-type': 'text/html' },
      '<form><input name="p" type="password"></form>',
    ),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /form that asks for a password/,
  },
  {
    name: 'a page that redirects to the front page',
    make: page(302, { location: '/' }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /another page, which got no request/,
  },
  {
    name: 'a page that redirects for ever',
    make: page(302, { location: '/admin/more' }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /more than 3 times/,
  },
  {
    name: 'an answer without end',
    make: page(200, {}, 'x'.repeat(3 * 1024 * 1024)),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /more than 2097152 bytes/,
  },
  {
    name: 'a peer that is out of order',
    make: page(503),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /answered 503/,
  },
  {
    name: 'a peer that is down',
    make: async () => at.settings({ kajabi: { base_url: await gone() } }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /nothing listens at its address/,
  },
  {
    name: 'a peer that hangs',
    make: async () =>
      at.settings({
        kajabi: { base_url: `http://127.0.0.1:${await silent()}`, timeout_seconds: 1 },
      }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /Kajabi gave no answer within 1 s/,
  },
]

const gmailFaults: readonly Fault[] = [
  {
    name: 'no token',
    make: () => rmSync(join(at.folder, 'gmail_oauth.json')),
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /gmail_oauth\.json does not exist/,
  },
  {
    name: 'no client',
    make: () => rmSync(join(at.folder, 'gmail_client.json')),
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /gmail_client\.json does not exist/,
  },
  {
    name: 'a token that others can read',
    make: () => chmodSync(join(at.folder, 'gmail_oauth.json'), 0o604),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0604/,
  },
  {
    name: 'a link instead of the client',
    make: () => symlinkSync(aside('gmail_client.json'), join(at.folder, 'gmail_client.json')),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /is a symbolic link/,
  },
  {
    name: 'a token that was given to another client',
    make: () =>
      at.write('gmail_client.json', { installed: { ...at.google.client, client_id: 'another' } }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /given to another client/,
  },
  {
    name: 'a token that was revoked',
    make: async () => await at.google.revoke(tokenOf(at)),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /invalid_grant/,
  },
  {
    name: 'an unknown client',
    make: () =>
      at.write('gmail_client.json', {
        installed: { ...at.google.client, client_secret: 'GOCSPX-not-the-right-one-0002' },
      }),
    state: 'invalid',
    errorClass: 'connector_refused',
    detail: /invalid_client|refused the client/,
  },
  {
    name: 'a token without the scope, whatever the API says',
    make: async () => {
      await at.signIn(['other'])
      at.google.api = 200
    },
    state: 'invalid',
    errorClass: 'connector_scope_missing',
    detail: /not valid for https:\/\/www\.googleapis\.com\/auth\/gmail\.readonly/,
  },
  {
    name: 'an API that refuses the token',
    make: () => {
      at.google.api = 403
    },
    state: 'invalid',
    errorClass: 'connector_scope_missing',
    detail: /not valid for/,
  },
  {
    name: 'an API that does not know the token',
    make: () => {
      at.google.api = 401
    },
    state: 'invalid',
    errorClass: 'connector_refused',
    detail: /refreshed just before \(401\)/,
  },
  {
    name: 'an API that is out of order',
    make: () => {
      at.google.api = 500
    },
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /answered 500/,
  },
  {
    name: 'something that is not an API',
    make: () => at.settings({ gmail: { api_url: at.kajabi.url } }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /not with a profile/,
  },
  {
    name: 'something that is not a token endpoint',
    make: () => at.settings({ gmail: { token_url: `${at.kajabi.url}/admin` } }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /did not answer like a token endpoint/,
  },
  {
    name: 'a token endpoint that is down',
    make: async () => at.settings({ gmail: { token_url: `${await gone()}/token` } }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /nothing listens at its address/,
  },
  {
    name: 'no user and password',
    make: () => {
      at.useImap()
      rmSync(join(at.folder, 'gmail_imap.json'))
    },
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /gmail_imap\.json does not exist/,
  },
  {
    name: 'a wrong app password',
    make: () => {
      at.useImap()
      at.write('gmail_imap.json', {
        GMAIL_USER: 'ada@example.test',
        GMAIL_APP_PASSWORD: 'wrong wrong wrong',
      })
    },
    state: 'invalid',
    errorClass: 'connector_refused',
    detail: /refused the user and the app password/,
  },
  {
    name: 'an IMAP server without TLS',
    make: async () => {
      const peer = await imapPeer({ user: 'a', pass: 'b', tls: false })
      closing.push(peer.close, () => expect(peer.said()).not.toMatch(/AUTHENTICATE|LOGIN/))
      at.useImap({ imap_port: peer.port })
    },
    state: 'unreachable',
    errorClass: 'connector_insecure',
    detail: /does not speak TLS with a certificate that this host trusts .* No secret was sent/,
  },
  {
    name: 'an IMAP server with a certificate of no known authority',
    make: () => {
      const { dir, cert } = ownCertificate()
      closing.push(() => rmSync(dir, { recursive: true }))
      at.useImap({ imap_ca_file: cert })
    },
    state: 'unreachable',
    errorClass: 'connector_insecure',
    detail: /No secret was sent/,
  },
  {
    name: 'a certificate file that is missing',
    make: () => at.useImap({ imap_ca_file: '/nowhere/ca.pem' }),
    state: 'invalid',
    errorClass: 'config_invalid',
    detail: /gmail\.imap_ca_file/,
  },
  {
    name: 'an IMAP server that is down',
    make: async () => at.useImap({ imap_port: Number(new URL(await gone()).port) }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /nothing listens at its address/,
  },
  {
    name: 'a folder that others can read',
    make: () => chmodSync(at.folder, 0o755),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0755/,
  },
  {
    name: 'a token endpoint that hangs',
    make: async () =>
      at.settings({
        gmail: { token_url: `http://127.0.0.1:${await silent()}/token`, timeout_seconds: 1 },
      }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /Gmail gave no answer within 1 s/,
  },
  {
    name: 'an IMAP server that hangs',
    make: async () => at.useImap({ imap_port: await silent(), timeout_seconds: 1 }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /Gmail gave no answer within 1 s/,
  },
]

const shows = (report: ConnectorReport, { state, errorClass, detail }: Fault): void => {
  expect(report).toMatchObject({
    state,
    error_class: errorClass,
    next_auto_fix: errorRule(errorClass).next_auto_fix,
    detail: expect.stringMatching(detail),
  })
  for (const secret of secretTexts) expect(JSON.stringify(report)).not.toContain(secret)
}

describe('a check of the connectors', () => {
  beforeEach(async () => await at.reset())

  it('finds both ready once they accepted their secrets, and sends Kajabi its own cookies only', async () => {
    at.write(
      storage,
      login(
        cookie('old', 'gone-gone-gone', { expires: now() - hour }),
        cookie('tls', 'only-over-tls-0815', { secure: true }),
        cookie('deep', 'deep-cookie-0815', { path: '/admin/sites' }),
      ),
    )
    const { kajabi, gmail, said } = await at.checkByProgram()
    expect([kajabi.state, gmail.state, kajabi.error_class, gmail.error_class]).toEqual([
      'ready',
      'ready',
      null,
      null,
    ])
    expect(at.kajabi.requests).toEqual([
      { path: '/admin', cookie: `_kjb_session=${session}; locale=en` },
      {
        path: '/admin/sites/1/dashboard',
        cookie: `_kjb_session=${session}; locale=en; deep=deep-cookie-0815`,
      },
    ])
    expect(at.google.bearers.at(-1)?.length).toBeGreaterThan(20)
    at.useImap()
    const imap = await at.checkByProgram()
    expect(imap.gmail).toMatchObject({ mode: 'imap', state: 'ready' })
    expect(at.imap.said()).toMatch(/AUTHENTICATE PLAIN[\s\S]*LOGOUT/)
    for (const secret of [...secretTexts, tokenOf(at), at.google.bearers.at(-1) ?? ''])
      expect(said + imap.said).not.toContain(secret)
  })

  it.each(kajabiFaults)('reports Kajabi with $name by its class', async (fault) => {
    await fault.make()
    const { kajabi, gmail } = await at.check()
    shows(kajabi, fault)
    expect(gmail.state).toBe('ready')
    if (fault.detail.source.includes('No request was sent')) expect(at.kajabi.requests).toEqual([])
  })

  it.each(gmailFaults)('reports Gmail with $name by its class', async (fault) => {
    await fault.make()
    shows((await at.check()).gmail, fault)
  })

  it('sends nothing to another host, and repeats nothing that Kajabi answers', async () => {
    const foreign = await webPeer((_request, response) => {
      response.writeHead(200).end('ok')
    })
    closing.push(foreign.close)
    at.settings({ kajabi: { hosts: ['localhost', '127.0.0.1'] } })
    at.kajabi.answer = (_request, response) => {
      response
        .writeHead(302, { location: `http://localhost:${foreign.port}/admin?was=${session}` })
        .end()
    }
    const { kajabi } = await at.check()
    expect(kajabi).toMatchObject({
      state: 'unreachable',
      error_class: 'connector_answer_unexpected',
      detail: expect.stringContaining('another of its hosts'),
    })
    expect(foreign.requests).toEqual([])
    expect(kajabi.detail.toLowerCase()).not.toContain(session.toLowerCase())
  })

  it('refuses settings that would send a secret in plain text, or to a host that is not of Kajabi', async () => {
    for (const change of [
      { kajabi: { base_url: 'http://app.kajabi.com' } },
      { gmail: { token_url: 'http://10.0.0.1/token' } },
      { kajabi: { base_url: 'https://kajabi.com.evil.example', hosts: ['kajabi.com'] } },
    ]) {
      await at.reset()
      at.settings(change)
      await expect(at.check()).rejects.toThrow(
        /host\.json: .*(?:must be https|must be on one of hosts)/,
      )
    }
  })
})

describe.skipIf(process.getuid?.() !== 0)('the secrets of an installed host', () => {
  const give = (name: string, uid: number, gid: number): void =>
    chownSync(join(at.folder, name), uid, gid)
  const names = [storage, 'gmail_client.json', 'gmail_oauth.json']

  it('are used only with exactly the owner and mode of an installation', async () => {
    await at.reset()
    at.settings({ launcher: 'systemd' })
    const before = await at.check()
    expect(before.kajabi).toMatchObject({
      error_class: 'connector_secret_unsafe',
      detail: expect.stringContaining('0750 0:0, not 0750 0:1000'),
    })
    chownSync(at.folder, 0, 1000)
    for (const name of names) give(name, 1000, 1000)
    const { kajabi, gmail } = await at.check()
    expect([kajabi.state, gmail.state]).toEqual(['ready', 'ready'])
    give(storage, 0, 1000)
    chmodSync(join(at.folder, 'gmail_oauth.json'), 0o600)
    const after = await at.check()
    expect(after.kajabi).toMatchObject({
      error_class: 'connector_secret_unsafe',
      detail: expect.stringContaining('0640 0:1000, not 0640 1000:1000'),
    })
    expect(after.gmail).toMatchObject({
      error_class: 'connector_secret_unsafe',
      detail: expect.stringContaining('0600 1000:1000, not 0640 1000:1000'),
    })
  })

  it('are not used when they belong to another user, even on a development machine', async () => {
    await at.reset()
    give(storage, 12_345, 0)
    expect((await at.check()).kajabi).toMatchObject({
      error_class: 'connector_secret_unsafe',
      detail: expect.stringContaining('belongs to user 12345'),
    })
  })
})
