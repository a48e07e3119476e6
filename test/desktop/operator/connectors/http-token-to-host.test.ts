import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hostSettings } from '#shared/config'
import type { ConnectFlow } from '#shared/connect-flow'
import { connectorsReply, connectorsResult } from '#shared/connectors'
import { isEnded } from '#shared/run'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { Connectors } from '../../../../desktop/operator/connectors/connectors.ts'
import { memoryKeystore } from '../../../../desktop/operator/settings/keystore.ts'
import { acceptsToken, webPeer, type WebPeer } from '../../../support/connector-peers.ts'
import {
  allFiles,
  startHostd,
  testHost,
  until,
  type TestHost,
  type TestHostd,
} from '../../../support/hostd.ts'

const token = 'tok-canary-0123456789abcdef'
const file = 'http_token.json'
let host: TestHost
let hostd: TestHostd
let service: WebPeer
let folder: string
let connectors: Connectors
const said: string[] = []

beforeAll(async () => {
  host = testHost()
  service = await webPeer(acceptsToken(`Bearer ${token}`))
  folder = connectorSecrets(host.paths)
  hostd = await startHostd(host)
})
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o750)
  service.answer = acceptsToken(`Bearer ${token}`)
  writeFileSync(host.paths.hostSettings, JSON.stringify({ name: 'test-host' }))
  connectors = new Connectors({
    client: hostd.client,
    host: () => hostd.url,
    home: '/nonexistent',
    env: {},
    keystore: memoryKeystore(),
    log: (text) => said.push(text),
    onEnded: () => undefined,
    openBrowser: () => Promise.reject(new Error('no browser')),
  })
})
afterAll(async () => {
  await hostd.stop()
  await service.close()
  await host.remove()
})

const object = () =>
  hostSettings.parse(JSON.parse(readFileSync(host.paths.hostSettings, 'utf8'))).http_token

/** Argument lists and environments of the programs that run now, as far as they are ours. */
const programs = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => ['cmdline', 'environ'].map((name) => join('/proc', pid, name)))
    .map((path) => {
      try {
        return readFileSync(path, 'latin1')
      } catch {
        return '' // it has ended
      }
    })

/** The form as the page sends it. @returns the attempt once it has ended */
async function connect(fields: Record<string, string>): Promise<ConnectFlow> {
  const form = {
    title: '',
    header: 'Authorization',
    scheme: 'Bearer',
    expected_status: '200',
    ...fields,
  }
  await connectors.connect({
    name: 'http_token',
    mode: 'header',
    fields: form,
    client: hostd.client,
  })
  return await until('the end of the attempt', async () => {
    const view = await connectors.view()
    said.push(JSON.stringify(view), ...programs())
    const flow = view.flows.find(({ connector }) => connector === 'http_token')
    return flow?.end === null ? null : flow
  })
}
const reply = async () => connectorsReply.parse((await hostd.request('/api/connectors')).body)
const found = async () => (await reply()).connectors?.find(({ name }) => name === 'http_token')

describe('connecting a token from HQ', () => {
  it('sets address and header with the proved token, keeps them when another fails, and disconnects', async () => {
    const url = `${service.url}/v1/me`
    const wrong = await connect({ url, access_token: 'tok-wrong-0123456789' })
    expect(wrong).toMatchObject({ end: { state: 'failed', error_class: 'connector_refused' } })
    expect([object().url, await found(), readdirSync(folder)]).toEqual([null, undefined, []])

    expect(await connect({ url, access_token: ` ${token}\n`, title: 'Billing' })).toMatchObject({
      end: { state: 'ready' },
      steps: ['form', 'send', 'prove'].map((id) => ({ id, state: 'pass' })),
    })
    expect(object()).toMatchObject({
      url,
      title: 'Billing',
      header: 'Authorization',
      scheme: 'Bearer',
    })
    expect(await found()).toMatchObject({ state: 'ready' })

    const before = [readFileSync(join(folder, file), 'utf8'), object()]
    service.answer = (_request, response) => response.writeHead(503).end()
    const other = {
      url: service.url,
      access_token: 'tok-next-0123456789',
      scheme: '',
      title: 'Next',
    }
    expect(await connect(other)).toMatchObject({ end: { error_class: 'connector_unreachable' } })
    expect([readFileSync(join(folder, file), 'utf8'), object()]).toEqual(before)
    // The new one waits, with its settings, until it is proved without another form.
    service.answer = acceptsToken('tok-next-0123456789')
    const { run_id } = await hostd.client.finalizeConnector('http_token', null)
    const ended = async (id: string) =>
      await until('the end of the run', async () => {
        const { status, result } = await hostd.client.run(id)
        return isEnded(status) ? connectorsResult.parse(result) : null
      })
    expect((await ended(run_id)).overall).toBe('PASS')
    expect(object()).toMatchObject({ url: service.url, title: 'Next', scheme: '' })

    const revoked = await ended((await hostd.client.revokeConnector('http_token')).run_id)
    expect(revoked.checks[0]?.detail).toMatch(
      /The service may still accept it until you withdraw it/,
    )
    expect([readdirSync(folder), object().url, await found()]).toEqual([[], null, undefined])

    const files = allFiles(host.dir).filter(({ path }) => !path.startsWith(folder))
    expect([files.length > 10, said.length > 10]).toEqual([true, true])
    for (const secret of [token, 'tok-wrong-0123456789', 'tok-next-0123456789']) {
      expect(said.filter((text) => text.includes(secret))).toEqual([])
      expect(files.filter(({ text }) => text.includes(secret)).map(({ path }) => path)).toEqual([])
    }
  })

  it('takes a file that was put on the host, with its settings, and sends nothing of a bad form', async () => {
    const content = { schema_version: 1, access_token: token, settings: { url: service.url } }
    writeFileSync(join(folder, file), JSON.stringify(content))
    chmodSync(join(folder, file), 0o640)
    const { run_id } = await hostd.client.finalizeConnector('http_token', null)
    await until('the end of the run', async () => isEnded((await hostd.client.run(run_id)).status))
    expect([object().url, (await found())?.state]).toEqual([service.url, 'ready'])
    expect(
      await connect({ url: service.url, access_token: 'tok-canary\r\nX-Evil: 1' }),
    ).toMatchObject({
      end: { state: 'failed', error_class: 'connector_secret_invalid' },
    })
    expect(existsSync(join(folder, 'http_token.candidate.json'))).toBe(false)
  })
})
