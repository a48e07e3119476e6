import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ActionId } from '#shared/actions'
import { connectorsReply, connectorsResult, type ConnectorsResult } from '#shared/connectors'
import type { ConnectorMode, ConnectorName } from '#shared/connectors/list'
import { isEnded } from '#shared/run'
import { connectorHost, login, session, type ConnectorHost } from '../support/connector-host.ts'
import { kajabi } from '../support/connector-peers.ts'
import { hq, startHostd, until, type TestHostd } from '../support/hostd.ts'

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

const live = 'kajabi_storage_state.json'
const waiting = 'kajabi_storage_state.candidate.json'
const text = (name: string): string => readFileSync(join(at.folder, name), 'utf8')
const bytesOf = (value: unknown) =>
  new Uint8Array(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
const fresh = 'kjbSessionRenewed0123456789abcdef'
const state = login()
const renewed = (value = fresh): string => JSON.stringify(state).replaceAll(session, value)

const send = async (value: unknown, kind = 'storage_state', connector: ConnectorName = 'kajabi') =>
  await hostd.client.sendSecret({ connector, kind, bytes: bytesOf(value) })
const refusal = async (work: Promise<unknown>): Promise<{ errorClass: string; message: string }> =>
  (await work.then(
    () => new Error('it was accepted'),
    (error: unknown) => error,
  )) as { errorClass: string; message: string }
async function ended(started: Promise<{ run_id: string }>): Promise<unknown> {
  const { run_id } = await started
  return await until('the end of the run', async () => {
    const { status, result } = await hostd.client.run(run_id)
    return isEnded(status) ? result : null
  })
}
const end = async (started: Promise<{ run_id: string }>): Promise<ConnectorsResult> =>
  connectorsResult.parse(await ended(started))
const finalize = (name: ConnectorName = 'kajabi', mode: ConnectorMode | null = null) =>
  end(hostd.client.finalizeConnector(name, mode))

const reply = async () => connectorsReply.parse((await hostd.request('/api/connectors')).body)
const detail = async (name: ConnectorName = 'kajabi') =>
  (await reply()).details?.find((each) => each.name === name)

describe('a secret sent to the host', () => {
  it('waits beside the one in use, and replaces it once the service accepted it', async () => {
    const before = text(live)
    await send(renewed())
    expect([text(live), text(waiting)]).toEqual([before, renewed()])
    expect(await detail()).toMatchObject({ candidate: { kind: 'storage_state' } })
    expect((lstatSync(join(at.folder, waiting)).mode & 0o7777).toString(8)).toBe('640')
    at.kajabi.answer = kajabi(fresh)
    const result = await finalize()
    expect(result).toMatchObject({
      kind: 'connector_finalize',
      overall: 'PASS',
      checks: [{ name: 'kajabi', status: 'PASS' }],
      connectors: [
        {
          name: 'kajabi',
          state: 'ready',
          expires_at: new Date(Number(state.cookies[0]?.['expires']) * 1000).toISOString(),
        },
      ],
    })
    expect(result.checks[0]?.detail).toContain('The host uses the new secret of Kajabi now.')
    expect(text(live)).toBe(renewed())
    const { run_id } = result
    expect(await detail()).toMatchObject({ candidate: null, history: [{ run_id, state: 'ready' }] })
    expect(readdirSync(at.folder).filter((name) => /candidate|tmp/.test(name))).toEqual([])
  })

  it('is removed when the service refuses it, and the one in use stays and is reported', async () => {
    const before = text(live)
    await send(renewed())
    const result = await finalize()
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'connector_expired',
      checks: [{ name: 'kajabi', status: 'FAIL' }],
      connectors: [{ name: 'kajabi', state: 'ready' }],
    })
    expect(result.checks[0]?.detail).toContain('removed; the one in use is unchanged.')
    expect([text(live), existsSync(join(at.folder, waiting))]).toEqual([before, false])
  })

  it('waits for the next proof while the service does not answer, also when hostd restarts', async () => {
    const before = text(live)
    await send(renewed())
    await hostd.kill()
    hostd = await startHostd(at.host)
    at.kajabi.answer = (_request, answer) => answer.writeHead(503).end()
    const result = await finalize()
    expect(result).toMatchObject({ overall: 'FAIL', error_class: 'connector_unreachable' })
    expect(result.checks[0]?.detail).toContain('waits on the host for the next proof')
    expect([text(live), text(waiting)]).toEqual([before, renewed()])
    at.kajabi.answer = kajabi(fresh)
    expect((await finalize()).overall).toBe('PASS')
    expect(text(live)).toBe(renewed())
  })

  const cookies = (change: Record<string, unknown>) => ({
    ...state,
    cookies: [{ ...state.cookies[0], ...change }],
  })
  it.each<[string, () => unknown, string, RegExp]>([
    ['text', () => 'canary-not-json', 'connector_secret_invalid', /is not JSON/],
    ['bytes that are no text', () => '\u{d800}', 'connector_secret_invalid', /is not JSON/],
    [
      'the name of a prototype',
      () => renewed().replace('"sameSite"', '"__proto__"'),
      'connector_secret_invalid',
      /name that no field may have/,
    ],
    [
      'a line break in a cookie',
      () => cookies({ value: 'canary\r\nx: y' }),
      'connector_secret_invalid',
      /cookies\.0\.value/,
    ],
    [
      'a cookie of a foreign host',
      () => cookies({ domain: 'canary.example.test' }),
      'connector_secret_invalid',
      /kajabi\.hosts does not name/,
    ],
    [
      'a secret of another kind',
      () => ({ GMAIL_USER: 'canary', GMAIL_APP_PASSWORD: 'canary-canary' }),
      'connector_secret_invalid',
      /is not valid at/,
    ],
    ['50 MiB', () => renewed('x'.repeat(50 * 1024 * 1024)), 'body_too_large', /1048576/],
    ['nothing', () => '', 'invalid_request', /empty/],
  ])('is refused with %s, and the old one is intact', async (_what, value, errorClass, why) => {
    const before = text(live)
    const refused = await refusal(send(value()))
    expect(refused).toMatchObject({ errorClass, message: expect.stringMatching(why) })
    expect(refused.message).not.toContain('canary')
    expect([text(live), existsSync(join(at.folder, waiting))]).toEqual([before, false])
  })

  it('is refused for a kind, connector or type that there is not', async () => {
    expect(await refusal(send(renewed(), 'oauth'))).toMatchObject({ errorClass: 'invalid_request' })
    const put = async (path: string, type = 'application/octet-stream') =>
      (
        await fetch(`${hostd.url}/api/connectors/${path}`, {
          method: 'PUT',
          headers: { 'x-openclaw-admin-token': at.host.token, 'content-type': type },
          body: renewed(),
        })
      ).status
    expect(await put('moon/secret?kind=storage_state')).toBe(400)
    expect(await put('kajabi/secret')).toBe(400)
    expect(await put('kajabi/secret?kind=storage_state', 'application/json')).toBe(415)
    expect(readdirSync(at.folder)).not.toContain(waiting)
  })

  /** The head of a request whose body has this many bytes. */
  const announce = (bytes: number): Socket => {
    const socket = connect(hostd.port, '127.0.0.1')
    socket.write(
      [
        'PUT /api/connectors/kajabi/secret?kind=storage_state HTTP/1.1',
        `host: 127.0.0.1:${hostd.port}`,
        `x-openclaw-admin-token: ${at.host.token}`,
        'content-type: application/octet-stream',
        `content-length: ${bytes}`,
        '\r\n',
      ].join('\r\n'),
    )
    return socket
  }

  it('is refused by hostd when it is announced as too large, before its body', async () => {
    const socket = announce(50 * 1024 * 1024)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /)
    expect(readdirSync(at.folder)).not.toContain(waiting)
  })

  it('is not stored when its transfer is cut', async () => {
    const body = renewed()
    const socket = announce(body.length)
    socket.write(body.slice(0, 100))
    await until('the runner', () => at.host.processes().length > 1)
    socket.destroy()
    await until('the end of the runner', () => at.host.processes().length === 1)
    expect(readdirSync(at.folder).filter((name) => /candidate|tmp/.test(name))).toEqual([])
  })

  it('is not taken into a folder that others may write', async () => {
    chmodSync(at.folder, 0o770)
    expect(await refusal(send(renewed()))).toMatchObject({ errorClass: 'connector_secret_unsafe' })
  })
})

describe('a secret put on the host by hand', () => {
  const act = (action: ActionId) => ended(hostd.client.exec(action))

  it('is waited for, found, and proved where it lies, under the names that agents use', async () => {
    rmSync(join(at.folder, live))
    expect(await act('kajabi_bootstrap_start')).toMatchObject({
      overall: 'PASS',
      kind: 'connector_start',
      detail: expect.stringContaining(join(at.folder, live)),
    })
    expect(await act('kajabi_bootstrap_status')).toMatchObject({
      overall: 'FAIL',
      error_class: 'CONNECTOR_NOT_CONFIGURED',
      checks: [{ name: 'storage_state', status: 'FAIL' }],
    })
    const typed = await hq(at.host, ['connector', 'status', 'kajabi', '--json'], {
      OPENCLAW_HOSTD_URL: hostd.url,
      OPENCLAW_ADMIN_TOKEN: at.host.token,
    })
    expect([typed.code, connectorsResult.parse(JSON.parse(typed.out)).kind]).toEqual([
      2,
      'connector_status',
    ])
    await send(renewed('kjbSessionStale0123456789abcdef'))
    at.write(live, renewed(), 0o644)
    expect(await act('kajabi_bootstrap_status')).toMatchObject({
      overall: 'PASS',
      checks: [{ status: 'PASS', detail: expect.stringContaining('mode 0644') }],
    })
    at.kajabi.answer = kajabi(fresh)
    expect(await act('kajabi_bootstrap_finalize')).toMatchObject({
      overall: 'PASS',
      kind: 'connector_finalize',
    })
    expect(text(live)).toBe(renewed())
    expect((lstatSync(join(at.folder, live)).mode & 0o7777).toString(8)).toBe('640')
    expect(await act('gmail_connect_finalize')).toMatchObject({
      overall: 'PASS',
      checks: [{ name: 'gmail', detail: expect.stringContaining('proved where it lies') }],
    })
  })

  it('is not used when others may have written it', async () => {
    at.write(live, renewed(), 0o666)
    expect(await act('kajabi_bootstrap_finalize')).toMatchObject({
      error_class: 'connector_secret_unsafe',
    })
    expect((lstatSync(join(at.folder, live)).mode & 0o7777).toString(8)).toBe('666')
  })
})

describe('the mode of a connector', () => {
  it('is the one that was proved last, in host.json', async () => {
    at.settings({ gmail: { mode: 'oauth_desktop' } })
    const password = { GMAIL_USER: 'ada@example.test', GMAIL_APP_PASSWORD: 'wrong wrong wrong' }
    await send(password, 'imap', 'gmail')
    const mode = (): unknown =>
      (
        JSON.parse(readFileSync(at.host.paths.hostSettings, 'utf8')) as {
          gmail: { mode?: string }
        }
      ).gmail.mode
    expect(await finalize('gmail', 'imap')).toMatchObject({
      error_class: 'connector_refused',
      connectors: [{ name: 'gmail', mode: 'oauth_desktop', state: 'ready' }],
    })
    expect(mode()).toBe('oauth_desktop')
    await send({ ...password, GMAIL_APP_PASSWORD: 'abcd efgh ijkl mnop' }, 'imap', 'gmail')
    const before = JSON.parse(readFileSync(at.host.paths.hostSettings, 'utf8')) as object
    rmSync(at.host.paths.trustFile, { force: true })
    const files = readdirSync(at.host.paths.etc, { recursive: true }).filter(
      (name) => !/candidate/.test(String(name)),
    )
    expect(await finalize('gmail', 'imap')).toMatchObject({
      overall: 'PASS',
      connectors: [{ name: 'gmail', mode: 'imap', state: 'ready' }],
    })
    expect(mode()).toBe('imap')
    // A missing trust file stays missing.
    expect(readdirSync(at.host.paths.etc, { recursive: true })).toEqual(files)
    expect(await detail('gmail')).toMatchObject({ mode: 'imap', candidate: null })
    const after = JSON.parse(readFileSync(at.host.paths.hostSettings, 'utf8')) as {
      gmail: object
    }
    expect({ ...after, gmail: { ...after.gmail, mode: 'oauth_desktop' } }).toEqual(before)
    expect(await ended(hostd.client.finalizeConnector('kajabi', 'imap'))).toMatchObject({
      error_class: 'invalid_request',
    })
  })
})

describe('a secret of another mode', () => {
  it('is the one that is proved when no other waits, and host.json keeps its owner and mode bits', async () => {
    at.settings({ gmail: { mode: 'oauth_desktop' } })
    const file = at.host.paths.hostSettings
    chmodSync(file, 0o640)
    if (process.getuid?.() === 0) chownSync(file, 0, 1000)
    const { uid, gid, mode } = lstatSync(file)
    const password = { GMAIL_USER: 'ada@example.test', GMAIL_APP_PASSWORD: 'abcd efgh ijkl mnop' }
    await send(password, 'imap', 'gmail')
    expect(await finalize('gmail')).toMatchObject({
      overall: 'PASS',
      connectors: [{ name: 'gmail', mode: 'imap', state: 'ready' }],
    })
    expect(await detail('gmail')).toMatchObject({ mode: 'imap', candidate: null })
    expect(lstatSync(file)).toMatchObject({ uid, gid, mode })
  })
})

describe('a revoked connector', () => {
  it('has no secret any more, neither in use nor waiting', async () => {
    await send(renewed())
    const result = await end(hostd.client.revokeConnector('kajabi'))
    expect(result).toMatchObject({
      overall: 'PASS',
      connectors: [{ name: 'kajabi', state: 'not_configured' }],
    })
    expect(readdirSync(at.folder).filter((name) => name.startsWith('kajabi'))).toEqual([])
    const { connectors } = await reply()
    expect(connectors?.find(({ name }) => name === 'kajabi')?.state).toBe('not_configured')
  })
})
