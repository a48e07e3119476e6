import { readdirSync, readFileSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectFlow } from '#shared/connect-flow'
import { connectorsResult } from '#shared/connectors'
import { isEnded } from '#shared/run'
import { Connectors } from '../../../../desktop/operator/connectors/connectors.ts'
import { memoryKeystore } from '../../../../desktop/operator/settings/keystore.ts'
import { connectorHost, tokenOf, type ConnectorHost } from '../../../support/connector-host.ts'
import { browse } from '../../../support/google-here.ts'
import { allFiles, startHostd, until, type TestHostd } from '../../../support/hostd.ts'

let at: ConnectorHost
let hostd: TestHostd
beforeAll(async () => {
  at = await connectorHost()
  hostd = await startHostd(at.host)
})
afterAll(async () => {
  await hostd.stop()
  await at.remove()
})

/** Everything that a secret must not be in; what the host keeps in its folder of secrets excepted. */
const said: string[] = []
let codes: string[] = []
let connectors: Connectors
beforeEach(async () => {
  await at.reset()
  codes = []
  connectors = new Connectors({
    client: hostd.client,
    host: () => hostd.url,
    home: '/nonexistent',
    env: {},
    keystore: memoryKeystore(),
    log: (text) => said.push(text),
    onEnded: () => undefined,
    openBrowser: async (url) => {
      const page = await browse(url)
      codes.push(new URL(page.url).searchParams.get('code') ?? '')
      said.push(page.html)
    },
  })
})

/** @returns the attempt once it has ended */
async function connect(
  fields: Record<string, string>,
  mode: 'oauth_desktop' | 'imap' = 'oauth_desktop',
): Promise<ConnectFlow> {
  await connectors.connect({ name: 'gmail', mode, fields, client: hostd.client })
  return await until('the end of the attempt', async () => {
    const view = await connectors.view()
    said.push(JSON.stringify(view), ...programs())
    const flow = view.flows.find(({ connector }) => connector === 'gmail')
    return flow?.end === null ? null : flow
  })
}

/** Argument lists and environments of the programs that run now, those of other accounts excepted. */
const programs = (): string[] =>
  process.platform !== 'linux'
    ? []
    : readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => ['cmdline', 'environ'].map((file) => join('/proc', pid, file)))
        .map((path) => {
          try {
            return readFileSync(path, 'latin1')
          } catch {
            return '' // it has ended, or is not ours
          }
        })

describe('connecting Gmail', () => {
  it('ends ready, from nothing and again, with a token that Google renews; no secret is anywhere else', async () => {
    at.google.rotates = true
    for (const name of ['gmail_oauth.json', 'gmail_client.json']) rmSync(join(at.folder, name))
    expect(await connect({ client: at.google.clientFile() })).toMatchObject({
      end: { state: 'ready' },
      steps: ['client', 'allow', 'exchange', 'send', 'prove'].map((id) => ({ id, state: 'pass' })),
    })
    const first = tokenOf(at)
    const view = await connectors.view()
    expect(view.kept).toEqual(['gmail.client', 'gmail.account'])
    expect(view.host?.connectors).toContainEqual(
      expect.objectContaining({ name: 'gmail', state: 'ready', account: 'ada@example.test' }),
    )
    // The client file is kept; the mailbox must be the same.
    Object.assign(at.google.person, { name: 'eve' })
    expect(await connect({})).toMatchObject({
      end: { state: 'failed', error_class: 'connector_other_account' },
    })
    expect(tokenOf(at)).toBe(first)
    expect(await connect({ account: 'eve@example.test' })).toMatchObject({
      end: { state: 'ready' },
    })
    Object.assign(at.google.person, { name: 'ada' })
    const secrets = [
      first,
      tokenOf(at),
      at.google.client.client_secret,
      ...codes,
      ...at.google.bearers,
    ]
    const files = allFiles(at.host.dir).filter(({ path }) => !path.startsWith(at.folder))
    expect([files.length > 10, said.length > 10, secrets.length > 8]).toEqual([true, true, true])
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(15)
      expect(said.filter((text) => text.includes(secret))).toEqual([])
      expect(files.filter(({ text }) => text.includes(secret)).map(({ path }) => path)).toEqual([])
    }
  })

  it('is ended on the host too by a cancel during the proof, and says how that ended', async () => {
    const before = tokenOf(at)
    const held: ServerResponse[] = []
    let profiles = 0
    at.google.instead = (request, response) => {
      if (request.url !== '/gmail/v1/users/me/profile') return false
      profiles += 1
      if (profiles === 1) return false // the laptop's own
      held.push(response)
      return true
    }
    await connectors.connect({
      name: 'gmail',
      mode: 'oauth_desktop',
      fields: { client: at.google.clientFile() },
      client: hostd.client,
    })
    await until('the host requests the profile', () => held.length > 0)
    // Another host was selected meanwhile: the attempt stays with its own.
    const client = Object.create(hostd.client) as typeof hostd.client
    await expect(
      connectors.connect({ name: 'gmail', mode: 'oauth_desktop', fields: {}, client }),
    ).rejects.toMatchObject({
      errorClass: 'invalid_request',
      message: expect.stringContaining('another host') as string,
    })
    await connectors.cancel('gmail')
    at.google.instead = null
    for (const response of held) response.destroy()
    const [flow] = (await connectors.view()).flows
    expect(flow).toMatchObject({
      end: { state: 'cancelled' },
      steps: expect.arrayContaining([expect.objectContaining({ id: 'prove', state: 'fail' })]),
    })
    expect((await hostd.client.run(flow?.run_id ?? '')).status).toBe('cancelled')
    expect(tokenOf(at)).toBe(before)
  })

  it('by an app password makes the host read mail over IMAP at the server of its settings', async () => {
    rmSync(join(at.folder, 'gmail_imap.json'))
    const wrong = await connect(
      { user: 'ada@example.test', password: 'wrng wrng wrng wrng' },
      'imap',
    )
    expect(wrong).toMatchObject({
      end: { state: 'failed', error_class: 'connector_refused' },
      steps: expect.arrayContaining([
        expect.objectContaining({ id: 'check', detail: expect.stringMatching(/left to the host/) }),
      ]),
    })
    const flow = await connect(
      { user: 'ada@example.test', password: 'abcd efgh ijkl mnop' },
      'imap',
    )
    expect(flow).toMatchObject({ end: { state: 'ready' } })
    const { host } = await connectors.view()
    expect(host?.connectors).toContainEqual(
      expect.objectContaining({ name: 'gmail', mode: 'imap', state: 'ready' }),
    )
    // By its own authority the laptop would not have sent the password.
    at.useImap({ imap_ca_file: null })
    expect(
      await connect({ user: 'ada@example.test', password: 'abcd efgh ijkl mnop' }, 'imap'),
    ).toMatchObject({
      end: { state: 'failed', error_class: 'connector_insecure' },
      run_id: null,
    })
    for (const secret of ['wrngwrng', 'wrng wrng', 'abcdefgh', 'abcd efgh'])
      expect(said.filter((text) => text.includes(secret))).toEqual([])
  })

  it('is undone by revoking it: Google withdraws the token, and the host deletes it', async () => {
    const token = tokenOf(at)
    const { run_id } = await hostd.client.revokeConnector('gmail')
    const result = await until('the end of the run', async () => {
      const run = await hostd.client.run(run_id)
      return isEnded(run.status) ? run.result : null
    })
    const { checks, connectors: reports } = connectorsResult.parse(result)
    expect(checks[0]).toMatchObject({
      status: 'PASS',
      detail: expect.stringMatching(/has withdrawn the token/),
    })
    expect(reports).toMatchObject([{ name: 'gmail', state: 'not_configured' }])
    expect(at.google.requests).toContain('POST /revoke')
    expect(await at.google.isValid(token)).toBe(false)
  })
})
