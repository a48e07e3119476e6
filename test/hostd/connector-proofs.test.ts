import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectorsResult, type ConnectorsResult } from '#shared/connectors'
import type { ConnectorName } from '#shared/connectors/list'
import { isEnded } from '#shared/run'
import { candidateOf } from '#ops/features/connectors/common/secret-folder'
import { connectorHost, login, type ConnectorHost } from '../support/connector-host.ts'
import { gmailScope } from '#shared/connectors/gmail'
import { kajabi } from '../support/connector-peers.ts'
import { startHostd, until, type TestHostd } from '../support/hostd.ts'

let at: ConnectorHost
let hostd: TestHostd
beforeAll(async () => {
  at = await connectorHost()
  hostd = await startHostd(at.host)
})
beforeEach(async () => await at.reset())
afterAll(async () => {
  await hostd.stop()
  await at.remove()
})

const storage = 'kajabi_storage_state.json'
const token = 'gmail_oauth.json'
const client = 'gmail_client.json'
const fresh = 'kjbSessionRenewed0123456789abcdef'
const renewed = JSON.stringify(login()).replaceAll(/kjbSession\w+/g, fresh)
const text = (name: string): string => readFileSync(join(at.folder, name), 'utf8')
const waits = (name: string): boolean => existsSync(join(at.folder, candidateOf(name)))

const send = (connector: ConnectorName, kind: string, value: string): Promise<void> =>
  hostd.client.sendSecret({ connector, kind, bytes: new Uint8Array(Buffer.from(value)) })
async function result(run_id: string): Promise<ConnectorsResult> {
  const ended = await until('the end of the run', async () => {
    const run = await hostd.client.run(run_id)
    return isEnded(run.status) ? run.result : null
  })
  return connectorsResult.parse(ended)
}
const start = async (name: ConnectorName): Promise<string> =>
  (await hostd.client.finalizeConnector(name, null)).run_id
const finalize = async (name: ConnectorName): Promise<ConnectorsResult> =>
  await result(await start(name))
/** A second token for the mailbox; the one in use stays. */
async function anotherToken(): Promise<string> {
  const before = text(token)
  await at.signIn([gmailScope])
  const made = text(token)
  at.write(token, before)
  return made
}

describe('a file that was put in the place of a secret by hand', () => {
  it('leaves its place when it is refused, is not ready, and says so', async () => {
    rmSync(join(at.folder, storage))
    for (const content of [renewed, '{"cookies": "canary-by-hand']) {
      at.write(storage, content, 0o644)
      const refused = await finalize('kajabi')
      expect(refused).toMatchObject({
        overall: 'FAIL',
        connectors: [{ state: 'not_configured' }],
      })
      expect(refused.checks[0]?.detail).toMatch(
        /The file that was put there by hand was removed; there is none in use\.$/,
      )
      expect(refused.checks[0]?.detail).not.toContain('canary')
      expect(readdirSync(at.folder).filter((name) => name.startsWith('kajabi'))).toEqual([])
    }
    at.kajabi.answer = kajabi(fresh)
    await send('kajabi', 'storage_state', renewed)
    expect(await finalize('kajabi')).toMatchObject({ overall: 'PASS' })
  })

  it('waits while the service does not answer, and is used once it accepted it', async () => {
    at.write(storage, renewed, 0o644)
    at.kajabi.answer = (_request, answer) => answer.writeHead(503).end()
    const waiting = await finalize('kajabi')
    expect(waiting.checks[0]?.detail).toMatch(
      /The file that was put there by hand waits on the host for the next proof; there is none/,
    )
    expect([waits(storage), existsSync(join(at.folder, storage))]).toEqual([true, false])
    at.kajabi.answer = kajabi(fresh)
    expect(await finalize('kajabi')).toMatchObject({ overall: 'PASS' })
    expect(text(storage)).toBe(renewed)
  })
})

describe('a token that waits for its proof', () => {
  const faults: readonly [string, () => unknown, string][] = [
    [
      'one that others may write',
      () => chmodSync(join(at.folder, client), 0o660),
      'connector_secret_unsafe',
    ],
    ['damaged', () => at.write(client, '{"installed":'), 'connector_secret_invalid'],
    [
      'of another client',
      () => at.write(client, { installed: { ...at.google.client, client_id: 'another' } }),
      'connector_secret_invalid',
    ],
    [
      'refused by the service',
      () => at.write(client, { installed: { ...at.google.client, client_secret: 'GOCSPX-no' } }),
      'connector_refused',
    ],
  ]
  it.each(faults)('stays when the client file in use is %s', async (_what, make, errorClass) => {
    await send('gmail', 'oauth', await anotherToken())
    const before = text(candidateOf(token))
    make()
    const failed = await finalize('gmail')
    expect(failed).toMatchObject({ overall: 'FAIL', error_class: errorClass })
    expect(failed.checks[0]?.detail).toContain('waits on the host for the next proof')
    expect(text(candidateOf(token))).toBe(before)
  })

  it('is removed by a verdict about itself, with the client file that was sent with it', async () => {
    const live = text(token)
    const gone = JSON.parse(await anotherToken()) as { refresh_token: string }
    await at.google.revoke(gone.refresh_token)
    await send('gmail', 'client', text(client))
    await send('gmail', 'oauth', JSON.stringify(gone))
    expect(await finalize('gmail')).toMatchObject({
      error_class: 'connector_expired',
      connectors: [{ state: 'ready' }],
    })
    expect([waits(token), waits(client), text(token)]).toEqual([false, false, live])
  })

  it('is withdrawn by a revoke too', async () => {
    const made = JSON.parse(await anotherToken()) as { refresh_token: string }
    await send('gmail', 'oauth', JSON.stringify(made))
    const tokens = [at.token().refresh_token, made.refresh_token]
    const { checks } = await result((await hostd.client.revokeConnector('gmail')).run_id)
    expect(checks[0]).toMatchObject({ status: 'PASS' })
    for (const each of tokens) expect(await at.google.isValid(each)).toBe(false)
    expect(readdirSync(at.folder).filter((name) => name.startsWith('gmail'))).toEqual([])
  })
})

describe('the proof of one connector', () => {
  it('keeps none of another waiting, and the list of what waits names both', async () => {
    rmSync(at.folder, { recursive: true })
    let held = 0
    at.kajabi.answer = () => (held += 1)
    await Promise.all([
      send('kajabi', 'storage_state', renewed),
      send(
        'gmail',
        'imap',
        JSON.stringify({
          GMAIL_USER: 'ada@example.test',
          GMAIL_APP_PASSWORD: 'abcd efgh ijkl mnop',
        }),
      ),
    ])
    const slow = await start('kajabi')
    await until('the host requests Kajabi', () => held > 0)
    expect(await finalize('gmail')).toMatchObject({
      overall: 'PASS',
      connectors: [{ mode: 'imap' }],
    })
    const { body } = await hostd.request('/api/connectors')
    expect(body).toMatchObject({
      details: [{ candidate: { kind: 'storage_state' } }, { candidate: null }, { candidate: null }],
    })
    await hostd.client.cancel(slow)
    expect([waits(storage), existsSync(join(at.folder, storage))]).toEqual([true, false])
  })
})
