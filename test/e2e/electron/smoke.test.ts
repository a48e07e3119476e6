import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Page } from 'playwright'
import { bridgeReply, type BridgeReply, type BridgeTransport } from '#shared/bridge'
import { gateNames } from '#shared/state/gates'
import { launchDesktop, type DesktopApp } from '../../support/desktop-app.ts'
import {
  allFiles,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../../support/hostd.ts'
import { until } from '../../support/operator-bench.ts'
import { makeShipRepo, type ShipRepo } from '../../support/ship-repo.ts'

type Ask = (name: string, input: unknown, shown?: string) => Promise<BridgeReply>

/** Asks through what the preload put on the window. */
const askOn =
  (page: Page): Ask =>
  async (name, input, shown) =>
    bridgeReply.parse(
      await page.evaluate(
        ([procedure, value, host]) =>
          (
            globalThis as unknown as {
              openclaw: { call(...given: unknown[]): Promise<unknown> }
            }
          ).openclaw.call(procedure, value, host),
        [name, input, shown] as const,
      ),
    )
const answerOf = (reply: BridgeReply): unknown =>
  reply.ok ? reply.value : reply.problem.error_class

/** The built main process, preload and page, with a real repository and a real hostd. */
describe('the desktop app', () => {
  let host: TestHost
  let hostd: TestHostd
  let repo: ShipRepo
  let app: DesktopApp
  let page: Page
  let ask: Ask
  const problem = async (name: string, input: unknown): Promise<unknown> =>
    answerOf(await ask(name, input))

  beforeAll(async () => {
    host = testHost()
    hostd = await startHostd(host)
    repo = makeShipRepo('http://127.0.0.1:9/v1')
    app = await launchDesktop({ OPENCLAW_HQ_HOME: repo.home })
    page = await app.window()
    ask = askOn(page)
  })
  afterAll(async () => {
    await app.close()
    await hostd.stop()
    await host.remove()
    await repo.remove()
  })

  it('opens on the Overview and shows the six gates of a repository, the host online', async () => {
    const head = repo.commit('A change to ship', {
      'app.mjs': 'export const add = (a, b) => b + a\n',
    })
    expect(await ask('settings.set_repository', { path: repo.repo })).toMatchObject({
      ok: true,
      value: { repository: repo.repo, keystore: 'os' },
    })
    expect(
      await ask('settings.set_host', { name: 'test-host', url: hostd.url, token: host.token }),
    ).toMatchObject({ ok: true, value: { host: { token_set: true } } })
    const overview = await until('the host is online', async () => {
      const reply = await ask('overview.get', {})
      const value = reply.ok
        ? (reply.value as { connection: { state: string }; repository: { head: string } })
        : null
      return value?.connection.state === 'online' ? value : null
    })
    expect(overview.repository.head).toBe(head)
    for (const name of gateNames)
      await page
        .getByRole('listitem', { name: new RegExp(`^${name}:`, 'i') })
        .first()
        .waitFor()
    await page.getByText('A change to ship').first().waitFor()
    await page.getByText('test-host').first().waitFor()
    expect(await page.title()).toContain('OpenClaw HQ')
  })

  it('runs an action on the host and streams its log once and in order', async () => {
    await ask('settings.set_host', { name: 'test-host', url: hostd.url, token: host.token })
    const started = await ask('host.exec', { action: 'port_audit' }, hostd.url)
    const { run_id } = (started as { value: { run_id: string } }).value
    const seen = await page.evaluate(
      (id) =>
        new Promise<{ seqs: number[]; end: unknown }>((resolve) => {
          const seqs: number[] = []
          const { openclaw } = globalThis as unknown as { openclaw: BridgeTransport }
          openclaw.events(
            { source: 'host', run_id: id, after: 0 },
            (events) => {
              for (const { seq } of events as { seq: number }[]) seqs.push(seq)
            },
            (end) => resolve({ seqs, end }),
          )
        }),
      run_id,
    )
    expect(seen.end).toBeNull()
    expect(seen.seqs.length).toBeGreaterThan(1)
    expect(seen.seqs).toEqual(seen.seqs.map((_, index) => index + 1))
  })

  it('notifies when a run has ended, with what comes next', async () => {
    await ask('settings.set_repository', { path: repo.repo })
    await app.evaluate(({ Notification }) => {
      const notified: string[] = ((globalThis as unknown as { notified: string[] }).notified = [])
      Notification.prototype.show = function show(): void {
        notified.push(`${this.title} ${this.body}`)
      }
    }, null)
    repo.write('app.mjs', 'in no commit')
    expect(await ask('ship.start', {})).toMatchObject({ ok: true, value: { joined: false } })
    const notified = await until(
      'a notification',
      async () =>
        (
          await app.evaluate(() => (globalThis as unknown as { notified: string[] }).notified, null)
        )[0],
    )
    expect(notified).toBe(
      'Ship: BLOCKED Stopped at Preflight: Uncommitted changes. ' +
        'Commit the changes that you want to ship.',
    )
  })

  it('gives the page the bridge and nothing else', async () => {
    const seen = await page.evaluate(() => {
      const world = globalThis as unknown as Record<string, unknown>
      const bridge = Object.getOwnPropertyDescriptor(globalThis, 'openclaw')
      return {
        node: [
          'require',
          'process',
          'module',
          'Buffer',
          'ipcRenderer',
          'electron',
          '__standinSend',
        ].filter((name) => world[name] !== undefined),
        keys: Object.keys(world['openclaw'] as object).toSorted(),
        replaceable: bridge?.writable === true || bridge?.configurable === true,
      }
    })
    expect(seen).toEqual({ node: [], keys: ['call', 'events'], replaceable: false })
  })

  it('refuses an unknown procedure, a bad field and a request that is too large', async () => {
    expect(await problem('app.explode', {})).toBe('unknown_action')
    expect(await problem('__proto__', {})).toBe('unknown_action')
    expect(await problem('ship.cancel', { run_id: '../../etc' })).toBe('invalid_request')
    expect(await problem('next.set', { text: 'x'.repeat(300 * 1024) })).toBe('body_too_large')
  })

  it('stays on its page: no other window, no other site, no permission', async () => {
    const before = page.url()
    await page.evaluate(`{
      open('https://example.invalid/')
      const link = document.createElement('a')
      link.href = 'https://example.invalid/elsewhere'
      document.body.append(link)
      link.click()
    }`)
    // A later answer of the bridge shows that the page lives and both attempts are over.
    expect(await ask('app.info', {})).toMatchObject({ ok: true, value: { mode: 'desktop' } })
    expect(page.url()).toBe(before)
    // One that was refused is closed a little after it was asked for.
    await expect.poll(() => page.context().pages()).toHaveLength(1)
    expect(
      await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length, null),
    ).toBe(1)
    expect(
      await page.evaluate(
        `navigator.permissions.query({ name: 'geolocation' }).then(({ state }) => state)`,
      ),
    ).toBe('denied')
  })

  it('follows a link to its own page that would open a window in the one it has', async () => {
    await page.evaluate(`void open('#/runs', '_blank')`)
    await expect.poll(() => page.url()).toMatch(/#\/runs$/)
    await expect.poll(() => page.context().pages()).toHaveLength(1)
    // The page was not loaded again: it went on in place.
    expect(await page.evaluate(`performance.getEntriesByType('navigation').length`)).toBe(1)
  })

  it('allows no script but its own', async () => {
    const ran = await page.evaluate(`(() => {
      const script = document.createElement('script')
      script.textContent = 'globalThis.injected = true'
      document.body.append(script)
      return globalThis.injected === true
    })()`)
    expect(ran).toBe(false)
    expect(
      await page.evaluate(
        `fetch(location.href).then((reply) => reply.headers.get('content-security-policy'))`,
      ),
    ).toContain("frame-ancestors 'none'")
    await expect(page.evaluate(() => fetch('https://example.invalid/'))).rejects.toThrow(
      /Failed to fetch/,
    )
  })
})

describe('a window of the desktop app', () => {
  let home: string
  let app: DesktopApp
  let page: Page
  beforeEach(async () => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'desktop-home-')))
    app = await launchDesktop({ OPENCLAW_HQ_HOME: home })
    page = await app.window()
  })
  afterEach(async () => {
    await app.close()
    rmSync(home, { recursive: true, force: true })
  })

  it('refuses every call of a page that is not its own', async () => {
    await app.evaluate(
      ({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0]?.loadURL('data:text/html,<title>foreign</title>'),
      null,
    )
    await page.waitForFunction(`document.title === 'foreign'`)
    expect(answerOf(await askOn(page)('app.info', {}))).toBe('origin_refused')
  })

  it('quits when its window is closed, and leaves no process', async () => {
    await app.evaluate(({ BrowserWindow }) => {
      setTimeout(() => BrowserWindow.getAllWindows()[0]?.close(), 0)
    }, null)
    expect(await app.ended()).toBe(0)
    expect(await until('every process has ended', () => app.processes().length === 0)).toBe(true)
  })
})

it('keeps no token where the system has no keyring, and says so', async () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'desktop-home-')))
  const app = await launchDesktop({ OPENCLAW_HQ_HOME: home }, { keyring: false })
  try {
    const ask = askOn(await app.window())
    const view = { keystore: 'none', host: { token_set: true } }
    expect(
      await ask('settings.set_host', {
        name: 'test-host',
        url: 'http://127.0.0.1:9',
        token: 'canary-token',
      }),
    ).toMatchObject({ ok: true, value: view })
    expect(allFiles(home).filter(({ text }) => text.includes('canary-token'))).toEqual([])
    expect(existsSync(join(home, 'secrets'))).toBe(false)
  } finally {
    await app.close()
    rmSync(home, { recursive: true, force: true })
  }
})
