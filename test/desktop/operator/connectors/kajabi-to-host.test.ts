import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Page } from 'playwright'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import {
  allFiles,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../../../support/hostd.ts'
import { kajabiSite, type KajabiSite } from '../../../support/kajabi-site.ts'
import { operatorBench, until, type OperatorBench } from '../../../support/operator-bench.ts'
import {
  enterCode,
  enterPassword,
  signInBench,
  xvfb,
  type SignInBench,
} from '../../../support/sign-in-bench.ts'

let site: KajabiSite
let desk: SignInBench
let host: TestHost
let hostd: TestHostd
let bench: OperatorBench
const secretFile = (): string => join(connectorSecrets(host.paths), 'kajabi_storage_state.json')
/** Everything that the page of the connectors was shown. */
const shown: string[] = []

beforeAll(async () => {
  if (xvfb === undefined) return
  site = await kajabiSite()
  desk = await signInBench(site)
  host = testHost()
  hostd = await startHostd(host)
  mkdirSync(connectorSecrets(host.paths))
  chmodSync(connectorSecrets(host.paths), 0o750)
  const kajabi = { base_url: site.hostUrl, hosts: ['127.0.0.1'], ca_file: site.caFile }
  writeFileSync(host.paths.hostSettings, JSON.stringify({ name: 'test-host', kajabi }))
  bench = operatorBench({ env: { ...desk.env, NPM_TOKEN: 'npm-canary-0123' } })
  await bench.call('settings.set_host', { name: 'test-host', url: hostd.url, token: host.token })
})
afterAll(async () => {
  if (xvfb === undefined) return
  await bench.remove()
  await hostd.stop()
  await host.remove()
  await desk.remove()
  await site.close()
})

const connect = () => bench.call('connectors.connect', { name: 'kajabi', mode: 'storage_state' })
async function flow() {
  const view = await bench.call('connectors.get', {})
  shown.push(JSON.stringify(view))
  return view.flows.find(({ connector }) => connector === 'kajabi')
}
const ended = () => until('the attempt has ended', async () => (await flow())?.end)
const signIn = async (page: Page): Promise<void> => {
  await enterPassword(page, site)
  await enterCode(page, site.person.code)
}

it.skipIf(xvfb === undefined)(
  'leads from one press to a login that the host proved (needs Xvfb)',
  async () => {
    const first = await connect()
    const page = await desk.window()
    expect((await connect()).id).toBe(first.id)
    await bench.call('connectors.show_window', { name: 'kajabi' })
    const { connecting } = await bench.call('overview.get', {})
    expect(connecting).toEqual([{ name: 'kajabi', state: 'you' }])
    const [argv, environ] = [desk.argv(), readFileSync(`/proc/${desk.pid()}/environ`, 'utf8')]
    expect(argv).toContain('--remote-debugging-pipe')
    expect(argv.join('\n')).not.toMatch(/remote-debugging-(?:port|address)/)
    expect(environ).not.toMatch(/OPENCLAW_|npm-canary/)
    await signIn(page)
    expect(await ended()).toMatchObject({ state: 'ready', error_class: null })
    const states = (await flow())?.steps.map(({ state }) => state)
    expect(states).toEqual(['pass', 'pass', 'pass', 'pass', 'pass'])
    const view = await bench.call('connectors.get', {})
    expect(view.host?.connectors?.find(({ name }) => name === 'kajabi')?.state).toBe('ready')
    const [session = ''] = site.secrets()
    expect(readFileSync(secretFile(), 'utf8')).toContain(session)
    const places = [
      ...allFiles(host.dir).filter(({ path }) => path !== secretFile()),
      ...allFiles(bench.home),
      { path: 'log', text: bench.logged.join('\n') },
      { path: 'page', text: shown.join('\n') },
      { path: 'argv', text: argv.join('\n') },
      { path: 'environ', text: environ },
    ]
    for (const secret of site.secrets())
      expect(places.filter(({ text }) => text.includes(secret)).map(({ path }) => path)).toEqual([])
    expect(
      readdirSync(tmpdir()).filter((name) => name.includes(`-sign-in-${process.pid}.`)),
    ).toEqual([])
  },
)

it.skipIf(xvfb === undefined)(
  'leaves the login in use as it is when the host is away in the end (needs Xvfb)',
  async () => {
    const before = readFileSync(secretFile(), 'utf8')
    await connect()
    const page = await desk.window()
    await enterPassword(page, site)
    await hostd.kill()
    await enterCode(page, site.person.code)
    expect(await ended()).toMatchObject({ state: 'failed', error_class: 'hostd_unreachable' })
    expect((await flow())?.steps.find(({ state }) => state === 'fail')?.id).toBe('send')
    expect(readFileSync(secretFile(), 'utf8')).toBe(before)
    // Without a host there is no window either: nobody signs in for nothing.
    const pid = desk.pid()
    await connect()
    expect(await ended()).toMatchObject({ state: 'failed', error_class: 'hostd_unreachable' })
    expect(desk.pid()).toBe(pid)
  },
)
