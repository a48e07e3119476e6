import { spawn, type ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import { launchBrowser, pageMs, shown } from '../support/browser.ts'
import { acceptsToken, webPeer } from '../support/connector-peers.ts'
import { launchDesktop, type DesktopApp } from '../support/desktop-app.ts'
import { browse, googleHere, type GoogleHere } from '../support/google-here.ts'
import { allFiles, startHostd, testHost, type TestHost, type TestHostd } from '../support/hostd.ts'
import { kajabiSite, type KajabiSite } from '../support/kajabi-site.ts'
import { until } from '../support/operator-bench.ts'
import {
  enterCode,
  enterPassword,
  signInBench,
  xvfb,
  type SignInBench,
} from '../support/sign-in-bench.ts'

const apiToken = 'tok-canary-0123456789abcdef'
const wrongToken = 'tok-wrong-0123456789abcdef'

/** Both connectors, from nothing to Phase 0, as the operator does it: only by what the page offers. */
describe.skipIf(xvfb === undefined)('the connectors (needs Xvfb)', () => {
  let dir: string
  let site: KajabiSite
  let google: GoogleHere
  let bench: SignInBench

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'connectors-story-')))
    ;[site, google] = await Promise.all([kajabiSite(), googleHere()])
    bench = await signInBench(site)
    site.sessionSeconds = 30 * 24 * 3600
    google.mailbox.reset()
  })
  afterAll(async () => {
    await bench.remove()
    await google.close()
    await site.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })

  const newHost = async (): Promise<{ host: TestHost; hostd: TestHostd }> => {
    const host = testHost({
      settings: {
        kajabi: {
          base_url: site.hostUrl,
          hosts: ['127.0.0.1'],
          ca_file: site.caFile,
          timeout_seconds: 60,
        },
        gmail: { token_url: `${google.url}/token`, api_url: google.url, timeout_seconds: 60 },
      },
    })
    return { host, hostd: await startHostd(host) }
  }

  const card = (page: Page, title: string) => page.getByRole('region', { name: title, exact: true })

  const enrol = async (page: Page, { host, hostd }: { host: TestHost; hostd: TestHostd }) => {
    await page.getByRole('link', { name: /^Settings/ }).click()
    await page.getByLabel('Name').first().fill('test-host')
    await page.getByLabel('Address').first().fill(hostd.url)
    await page
      .getByLabel(/^Admin token/)
      .first()
      .fill(host.token)
    await page
      .getByRole('button', { name: /^Save host/ })
      .first()
      .click()
  }

  const connectKajabi = async (page: Page) => {
    const kajabi = card(page, 'Kajabi')
    await kajabi.getByRole('button', { name: /^Connect Kajabi/ }).click()
    await kajabi.getByRole('button', { name: 'Bring window to front' }).waitFor()
    const window = await bench.window()
    await enterPassword(window, site)
    await enterCode(window, site.person.code)
    await kajabi.getByText('Ready', { exact: true }).first().waitFor()
  }

  const connectGmail = async (page: Page) => {
    const gmail = card(page, 'Gmail')
    const file = join(dir, 'gmail_client.json')
    writeFileSync(file, google.clientFile())
    const chooser = page.waitForEvent('filechooser')
    await gmail.getByRole('button', { name: /Choose or drop a file/ }).click()
    await (await chooser).setFiles(file)
    await gmail.getByRole('button', { name: /^Connect Gmail/ }).click()
    const address = gmail.locator('code', { hasText: google.url })
    await browse((await address.textContent()) ?? '')
    await gmail.getByText('Ready', { exact: true }).first().waitFor()
  }

  /** First a wrong token, then the one that the service knows; the address is typed once. */
  const connectToken = async (page: Page, { host }: { host: TestHost }) => {
    const service = await webPeer(acceptsToken(`Bearer ${apiToken}`))
    const token = card(page, 'HTTP token')
    try {
      await token.getByRole('button', { name: 'Connect HTTP token' }).click()
      await token.getByLabel('Address').fill(service.url)
      for (const value of [wrongToken, apiToken]) {
        await token.getByRole('textbox', { name: 'Token', exact: true }).fill(value)
        await token.getByRole('button', { name: 'Connect HTTP token' }).click()
        if (value === apiToken) await token.getByText('Ready', { exact: true }).first().waitFor()
        else await token.getByRole('button', { name: 'Try again' }).click()
      }
      const settings = JSON.parse(readFileSync(host.paths.hostSettings, 'utf8')) as object
      expect(settings).toMatchObject({ http_token: { url: service.url, header: 'Authorization' } })
    } finally {
      await service.close()
    }
  }

  const story = async (page: Page, at: { host: TestHost; hostd: TestHostd }) => {
    page.setDefaultTimeout(pageMs)
    await enrol(page, at)
    await page.getByRole('link', { name: /^Connectors/ }).click()
    const check = page.getByRole('button', { name: /^Check connectors/ })
    await shown(check).not.toHaveAttribute('aria-disabled', 'true')
    await check.click()
    await card(page, 'Kajabi').getByText('Not connected').first().waitFor()
    await connectKajabi(page)
    await connectGmail(page)
    const steps = page.getByRole('list', { name: 'From the connectors to Phase 0' })
    await shown(steps.getByRole('listitem')).toContainText([
      'Kajabi ready',
      'Gmail ready',
      'Phase 0 not run yet',
    ])
    await page
      .getByRole('button', { name: /^Run Phase 0/ })
      .first()
      .click()
    await page.waitForURL(/#\/runs\//)
    await page.getByRole('link', { name: /^Connectors/ }).click()
    await shown(steps.getByRole('listitem')).toContainText([
      'Kajabi ready',
      'Gmail ready',
      'Phase 0 pass',
    ])
    await page.getByRole('link', { name: /proof/i }).first().waitFor()
    const phase0 = join(at.host.paths.artifacts, 'phase0')
    const [run = ''] = readdirSync(phase0)
    expect(readdirSync(join(phase0, run))).toEqual(
      expect.arrayContaining([
        'phase0_result.json',
        'kajabi_library_snapshot.json',
        'gmail_harvest.jsonl',
      ]),
    )
    const harvest = readFileSync(join(phase0, run, 'gmail_harvest.jsonl'), 'utf8')
    expect(harvest.trim().split('\n')).toHaveLength(google.mailbox.messages.length)
    const folder = connectorSecrets(at.host.paths)
    for (const name of ['kajabi_storage_state.json', 'gmail_client.json', 'gmail_oauth.json'])
      expect(existsSync(join(folder, name)), name).toBe(true)
  }

  /** No secret is anywhere but in the files of the host that hold them. */
  const expectNoSecret = (host: TestHost, home: string, more: string) => {
    const folder = connectorSecrets(host.paths)
    const token = JSON.parse(readFileSync(join(folder, 'gmail_oauth.json'), 'utf8')) as {
      refresh_token: string
    }
    const secrets = [
      ...site.secrets(),
      google.client.client_secret,
      token.refresh_token,
      apiToken,
      wrongToken,
    ]
    const places = [...allFiles(host.dir), ...allFiles(home)].filter(
      ({ path }) => !path.startsWith(folder) && !path.startsWith(join(home, 'secrets')),
    )
    for (const secret of secrets) {
      expect(more).not.toContain(secret)
      expect(places.filter(({ text }) => text.includes(secret)).map(({ path }) => path)).toEqual([])
    }
  }

  // With an Electron of the tests, only the desktop app is another one.
  if (process.env['DESKTOP_TEST_ELECTRON'] === undefined)
    describe('in the browser, by hq serve', () => {
      let at: { host: TestHost; hostd: TestHostd }
      let child: ChildProcess
      let browser: Browser
      const home = (): string => join(dir, 'serve')
      let said = ''
      beforeAll(async () => {
        at = await newHost()
        child = spawn(
          nodeProgram(),
          [join(installRoot(), 'ops/hq.mjs'), 'serve', '--port', '0', '--json'],
          {
            env: { ...bench.env, OPENCLAW_HQ_HOME: home() },
            stdio: ['ignore', 'pipe', 'pipe'],
          },
        )
        for (const stream of [child.stdout, child.stderr])
          stream?.on('data', (data: Buffer) => (said += data.toString()))
        browser = await launchBrowser()
      })
      afterAll(async () => {
        await browser.close()
        const ended = once(child, 'close')
        child.kill('SIGTERM')
        await ended
        await at.hostd.stop()
        await at.host.remove()
      })

      it('leads from nothing to both ready and Phase 0 green, and to a token of another service', async () => {
        const url = await until('hq serve says its address', () => {
          if (child.exitCode !== null) throw new Error(said)
          return said.includes('\n') && (JSON.parse(said) as { url: string }).url
        })
        const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
        await page.goto(url)
        await story(page, at)
        await connectToken(page, at)
        expectNoSecret(at.host, home(), said + (await page.content()))
      }, 300_000)
    })

  describe('in the desktop app', () => {
    let at: { host: TestHost; hostd: TestHostd }
    let app: DesktopApp
    beforeAll(async () => {
      at = await newHost()
      app = await launchDesktop({ ...bench.env, OPENCLAW_HQ_HOME: join(dir, 'desktop') })
    })
    afterAll(async () => {
      await app.close()
      await at.hostd.stop()
      await at.host.remove()
    })

    it('leads from nothing to both ready and Phase 0 green', async () => {
      const page = await app.window()
      await story(page, at)
      expectNoSecret(at.host, join(dir, 'desktop'), await page.content())
    }, 300_000)
  })
})
