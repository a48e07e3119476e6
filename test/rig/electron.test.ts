import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bridgeReply, type BridgeReply } from '#shared/bridge'
import { launchDesktop, type DesktopApp } from '../support/desktop-app.ts'
import { desktopSession, whyNoDesktopSession } from '../support/desktop-session.ts'
import { until } from '../support/operator-bench.ts'

/** The program, made by `npm run test:rig`. */
const electron = process.env['DESKTOP_TEST_ELECTRON'] ?? ''
const why = electron === '' ? 'needs an Electron for tests' : whyNoDesktopSession()
const session = why === null ? await desktopSession() : null
if (session !== null) Object.assign(process.env, session.env)
afterAll(() => session?.close())

describe.skipIf(why !== null)(`a real Electron${why === null ? '' : ` (${why})`}`, async () => {
  let home: string
  let locked = false
  const apps: DesktopApp[] = []
  const launch = async (): Promise<DesktopApp> => {
    const app = await launchDesktop({ OPENCLAW_HQ_HOME: home })
    apps.push(app)
    return app
  }
  const call = async (app: DesktopApp, name: string, input: unknown = {}): Promise<BridgeReply> => {
    const page = await app.window()
    return bridgeReply.parse(
      await page.evaluate(
        ([procedure, value]) =>
          (
            globalThis as unknown as {
              openclaw: { call(name: unknown, input: unknown): Promise<unknown> }
            }
          ).openclaw.call(procedure, value),
        [name, input] as const,
      ),
    )
  }
  const setHost = { name: 'test-host', url: 'http://127.0.0.1:9', token: 'canary-token' }
  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'real-electron-')))
  })
  afterEach(async () => {
    if (locked) await session?.unlock()
    locked = false
    for (const app of apps.splice(0)) await app.close()
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })

  it('is one, and shows its page without an error', async () => {
    const app = await launch()
    const page = await app.window()
    const said: string[] = []
    page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => said.push(String(error)))
    await page.reload()
    await page.getByRole('heading', { level: 1 }).waitFor()
    for (const link of await page.getByRole('navigation').getByRole('link').all())
      await link.click()
    expect(said).toEqual([])
    expect(
      await app.evaluate(({ BrowserWindow, app: it }) => {
        const [window] = BrowserWindow.getAllWindows()
        return [window?.isVisible(), window?.isMenuBarVisible(), it.name, process.versions.electron]
      }, null),
    ).toEqual([true, false, 'OpenClaw HQ', '33.2.1'])
  })

  it('keeps a token in the keyring over a restart', async () => {
    const first = await launch()
    expect(await call(first, 'settings.set_host', setHost)).toMatchObject({
      value: { keystore: 'os', host: { token_set: true } },
    })
    expect(readdirSync(join(home, 'secrets'))).toHaveLength(1)
    await first.close()
    expect(await call(await launch(), 'settings.get')).toMatchObject({
      value: { keystore: 'os', host: { token_set: true } },
    })
  })

  it('opens while the keyring is locked, says so, and goes on when it is unlocked', async () => {
    const first = await launch()
    await call(first, 'settings.set_host', setHost)
    await first.close()
    session?.lock()
    locked = true
    const app = await launch()
    expect(await call(app, 'settings.get')).toMatchObject({
      value: { keystore: 'none', host: { token_set: false } },
    })
    const page = await app.window()
    await page.getByRole('heading', { name: 'No admin token for test-host' }).waitFor()
    await page
      .getByText(/It may be locked/)
      .filter({ visible: true })
      .first()
      .waitFor()
    await session?.unlock()
    locked = false
    expect(
      await until('HQ reads the token', async () => {
        const reply = await call(app, 'settings.get')
        const value = reply.ok ? (reply.value as { host: { token_set: boolean } }) : null
        return value?.host.token_set === true ? value : null
      }),
    ).toMatchObject({ keystore: 'os' })
  })

  it('quits well when its window is closed before its first page', async () => {
    const app = await launch()
    await app.evaluate(({ app: it, BrowserWindow }) => {
      const close = (window: Electron.BrowserWindow): void => {
        setTimeout(() => window.close(), 0)
      }
      const [window] = BrowserWindow.getAllWindows()
      if (window) close(window)
      else it.once('browser-window-created', (_event, created) => close(created))
    }, null)
    expect(await app.ended()).toBe(0)
  })

  await import('../e2e/electron/smoke.test.ts')
  await import('../e2e/connectors-story.test.ts')
})
