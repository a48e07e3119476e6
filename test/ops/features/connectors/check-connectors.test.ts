import { chmodSync, chownSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectorReport } from '#shared/connectors'
import { requiredConnectors } from '#shared/connectors/used'
import { errorRule } from '#shared/errors'
import { sha256Of } from '#ops/base/sha256'
import { checkConnectorsAsSecretOwner } from '#ops/features/connectors/check-as-secret-owner'
import { keepRenewed, type Renewal } from '#ops/features/connectors/keep-renewed'
import { checkConnectors } from '#ops/features/connectors/check-connectors'
import { secretOwner } from '#ops/features/connectors/secret-owner'
import { withSecrets } from '#ops/features/connectors/store-secret'
import { passHostFiles, readHostFiles } from '#ops/core/config/host-files'
import { readHostSettings } from '#ops/core/config/settings-files'
import { cookie, login, secretTexts, session, tokenOf } from '../../../support/connector-host.ts'
import { webPeer } from '../../../support/connector-peers.ts'
import { FaultKit, type Fault, hour, now, storage } from './fault-kit.ts'
import { gmailFaults } from './gmail-faults.ts'
import { kajabiFaults } from './kajabi-faults.ts'

const kit = new FaultKit()
beforeAll(async () => await kit.open())
afterAll(async () => await kit.close())

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
  beforeEach(async () => await kit.at.reset())

  it('finds both ready once they accepted their secrets, and sends Kajabi its own cookies only', async () => {
    kit.at.write(
      storage,
      login(
        cookie('old', 'gone-gone-gone', { expires: now() - hour }),
        cookie('tls', 'only-over-tls-0815', { secure: true }),
        cookie('deep', 'deep-cookie-0815', { path: '/admin/sites' }),
      ),
    )
    const expires_at = new Date(Date.now() + 7 * 24 * hour * 1000).toISOString()
    kit.at.write('gmail_oauth.json', { ...kit.at.token(), expires_at })
    const { kajabi, gmail, said } = await kit.at.checkByProgram()
    expect(gmail).toMatchObject({ account: 'ada@example.test', expires_at })
    expect([kajabi.state, gmail.state, kajabi.error_class, gmail.error_class]).toEqual([
      'ready',
      'ready',
      null,
      null,
    ])
    expect(kit.at.kajabi.requests).toEqual([
      { path: '/admin', cookie: `_kjb_session=${session}; locale=en` },
      {
        path: '/admin/sites/1/dashboard',
        cookie: `_kjb_session=${session}; locale=en; deep=deep-cookie-0815`,
      },
      // Somebody with a wrong session must not get the page.
      { path: '/admin', cookie: `_kjb_session=${'x'.repeat(session.length)}; locale=xx` },
    ])
    expect(kit.at.google.bearers.at(-1)?.length).toBeGreaterThan(20)
    kit.at.useImap()
    const imap = await kit.at.checkByProgram()
    expect(imap.gmail).toMatchObject({ mode: 'imap', state: 'ready', account: 'ada@example.test' })
    expect(kit.at.imap.said()).toMatch(/AUTHENTICATE PLAIN[\s\S]*LOGOUT/)
    for (const secret of [...secretTexts, tokenOf(kit.at), kit.at.google.bearers.at(-1) ?? ''])
      expect(said + imap.said).not.toContain(secret)
  })

  it('keeps a refresh token that Gmail renews, so that the next check is ready too', async () => {
    kit.at.google.rotates = true
    const tokens = [tokenOf(kit.at)]
    const before = kit.at.token()
    for (let check = 0; check < 2; check += 1) {
      const { signal } = new AbortController()
      const owner = secretOwner(kit.at.host.paths)
      const reports = await checkConnectorsAsSecretOwner(owner, {
        names: requiredConnectors,
        signal,
      })
      expect(reports[1]).toMatchObject({ name: 'gmail', state: 'ready' })
      for (const token of [...tokens, tokenOf(kit.at)])
        expect(JSON.stringify(reports)).not.toContain(token)
      tokens.push(tokenOf(kit.at))
    }
    expect(new Set(tokens).size).toBe(3)
    expect(kit.at.token()).toEqual({
      ...before,
      refresh_token: tokens[2],
      issued_at: expect.any(String),
    })
    expect(lstatSync(join(kit.at.folder, 'gmail_oauth.json')).mode & 0o777).toBe(0o640)
    expect(readdirSync(kit.at.folder).filter((name) => /tmp|candidate/.test(name))).toEqual([])
  })

  it('uses a refresh token in one process at a time, so that no renewed one is taken for theft', async () => {
    kit.at.google.rotates = true
    const { signal } = new AbortController()
    const all = await Promise.all(
      Array.from({ length: 3 }, () =>
        checkConnectorsAsSecretOwner(secretOwner(kit.at.host.paths), {
          names: requiredConnectors,
          signal,
        }),
      ),
    )
    expect(all.map(([, gmail]) => gmail?.state)).toEqual(['ready', 'ready', 'ready'])
    expect(await kit.at.google.isValid(tokenOf(kit.at))).toBe(true)
  })

  it('names the file that a renewed secret was read from by what was read of it', async () => {
    kit.at.google.rotates = true
    const read = readFileSync(join(kit.at.folder, 'gmail_oauth.json'))
    const other = { ...kit.at.token(), refresh_token: 'stored-meanwhile-0815' }
    kit.at.google.instead = ({ url }) => {
      // A proof puts another token in use while the service renews the one of before.
      if (url === '/token') kit.at.write('gmail_oauth.json', other)
      return false
    }
    const renewals: Renewal[] = []
    const { paths } = kit.at.host
    const { signal } = new AbortController()
    await checkConnectors({
      settings: readHostSettings(paths),
      paths,
      signal,
      onRenewed: (renewal) => renewals.push(renewal),
    })
    expect(renewals.map(({ was }) => was)).toEqual([sha256Of(read)])
    for (const renewal of renewals)
      await withSecrets(paths, { name: 'gmail' }, (secrets) => keepRenewed(secrets, renewal))
    expect(kit.at.token()).toEqual(other)
  })

  it('writes a renewed secret over the one that it was renewed from, and over nothing else', async () => {
    const { paths } = kit.at.host
    const other = { ...kit.at.token(), refresh_token: 'stored-meanwhile-0815' }
    const path = kit.at.write('gmail_oauth.json', other)
    const renewal = {
      name: 'gmail',
      file: 'gmail_oauth.json',
      was: sha256Of(JSON.stringify(other)),
      content: JSON.stringify({ ...other, refresh_token: 'renewed-0815-0815' }),
    } as const
    const keep = (change: Partial<Renewal>) =>
      withSecrets(paths, { name: 'gmail' }, (secrets) =>
        keepRenewed(secrets, { ...renewal, ...change }),
      )
    await keep({ was: sha256Of('what lay there before') })
    for (const [change, errorClass] of [
      [{ file: '../../openclaw.config.json' }, 'action_no_result'],
      [{ file: 'kajabi_storage_state.json' }, 'action_no_result'],
      [{ content: '{"schema_version":1}' }, 'connector_secret_invalid'],
    ] as const)
      await expect(keep(change)).rejects.toMatchObject({ errorClass })
    expect(readFileSync(path, 'utf8')).toBe(JSON.stringify(other))
    await keep({})
    expect(readFileSync(path, 'utf8')).toBe(renewal.content)
  })

  it.each([
    ['500 twice', [500, 500], 'ready', 3],
    ['503 again and again', [503, 503, 503, 503], 'unreachable', 3],
    ['invalid_grant', [400], 'expired', 1],
  ] as const)(
    'requests a token that is answered by %s a limited number of times',
    async (_what, statuses, state, count) => {
      const left: number[] = [...statuses]
      kit.at.google.instead = ({ url }, response) => {
        const status = url === '/token' ? left.shift() : undefined
        if (status === undefined) return false
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end('{"error":"invalid_grant","error_description":"canary-of-the-peer"}')
        return true
      }
      const { gmail } = await kit.at.check()
      expect(gmail.state).toBe(state)
      expect(gmail.detail).not.toContain('canary')
      expect(kit.at.google.requests.filter((each) => each === 'POST /token')).toHaveLength(count)
    },
  )

  it('B8 ignores of a storage state what is not sent, and sends cookies as a browser does', async () => {
    const odd = '{"a": 1, "b": "x y"}'
    const firebase = { name: 'firebase', version: 1, stores: [{ records: [{ value: session }] }] }
    kit.at.write(storage, {
      ...login(
        cookie('prefs[x]', odd),
        cookie('', 'nameless-0815', { priority: 'High' }),
        cookie('müsli', 'grün-0815-0815'),
      ),
      origins: [
        { origin: kit.at.kajabi.url, localStorage: [], indexedDB: [firebase], sessionStorage: 1 },
      ],
    })
    const { kajabi, said } = await kit.at.checkByProgram()
    expect(kajabi.state, kajabi.detail).toBe('ready')
    expect(kit.at.kajabi.requests[0]?.cookie).toBe(
      `_kjb_session=${session}; locale=en; prefs[x]=${odd}`,
    )
    expect(said).not.toContain(session)
  })

  it('uses the settings that its run passed to it, whatever host.json says by then', async () => {
    const read = passHostFiles(readHostFiles(kit.at.host.paths))
    kit.at.settings({ kajabi: { base_url: await kit.gone() } })
    expect((await kit.at.checkByProgram(read)).kajabi.state).toBe('ready')
    expect((await kit.at.checkByProgram()).kajabi.state).toBe('unreachable')
  })

  it.each(kajabiFaults(kit))('reports Kajabi with $name by its class', async (fault) => {
    await fault.make()
    const { kajabi, gmail } = await kit.at.check()
    shows(kajabi, fault)
    expect(gmail.state).toBe('ready')
    if (fault.detail.source.includes('No request was sent'))
      expect(kit.at.kajabi.requests).toEqual([])
  })

  it.each(gmailFaults(kit))('reports Gmail with $name by its class', async (fault) => {
    await fault.make()
    shows((await kit.at.check()).gmail, fault)
  })

  it('sends nothing to another host, and repeats nothing that Kajabi answers', async () => {
    const foreign = await webPeer((_request, response) => {
      response.writeHead(200).end('ok')
    })
    kit.closing.push(foreign.close)
    kit.at.settings({ kajabi: { hosts: ['localhost', '127.0.0.1'] } })
    kit.at.kajabi.answer = (_request, response) => {
      response
        .writeHead(302, { location: `http://localhost:${foreign.port}/admin?was=${session}` })
        .end()
    }
    const { kajabi } = await kit.at.check()
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
      await kit.at.reset()
      kit.at.settings(change)
      await expect(kit.at.check()).rejects.toThrow(
        /host\.json: .*(?:must be https|must be on one of hosts)/,
      )
    }
  })
})

describe.skipIf(process.getuid?.() !== 0)('the secrets of an installed host', () => {
  const give = (name: string, uid: number, gid: number): void =>
    chownSync(join(kit.at.folder, name), uid, gid)
  const names = [storage, 'gmail_client.json', 'gmail_oauth.json']

  it('are used only with exactly the owner and mode of an installation', async () => {
    await kit.at.reset()
    kit.at.settings({ launcher: 'systemd' })
    const before = await kit.at.check()
    expect(before.kajabi).toMatchObject({
      error_class: 'connector_secret_unsafe',
      detail: expect.stringContaining('0750 0:0, not 0750 0:1000'),
    })
    chownSync(kit.at.folder, 0, 1000)
    for (const name of names) give(name, 1000, 1000)
    const { kajabi, gmail } = await kit.at.check()
    expect([kajabi.state, gmail.state]).toEqual(['ready', 'ready'])
    give(storage, 0, 1000)
    chmodSync(join(kit.at.folder, 'gmail_oauth.json'), 0o600)
    const after = await kit.at.check()
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
    await kit.at.reset()
    give(storage, 12_345, 0)
    expect((await kit.at.check()).kajabi).toMatchObject({
      error_class: 'connector_secret_unsafe',
      detail: expect.stringContaining('belongs to user 12345'),
    })
  })
})
