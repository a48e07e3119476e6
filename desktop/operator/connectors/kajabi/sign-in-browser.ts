import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { Problem } from '#shared/errors'
import type { Environment } from '#ops/base/env'
import { makeTemporary } from '#ops/base/process/temporary-folder'
import { browserEnvironment } from './browser-environment.ts'
import type { BrowserProgram } from './find-browser.ts'
import { loadChromium } from './playwright.ts'

/** Longest start of a browser on a busy machine, milliseconds. */
const startMs = 60_000
/** A browser that has ended says so within this time after its last window, milliseconds. */
const endedMs = 1000

/**
 * HQ speaks to the browser over a pipe that only the two of them have: no port is open. The contexts are private
 * windows, which Chromium keeps in memory; the profile holds nothing of them.
 */
const switches = (profile: string): string[] => [
  '--remote-debugging-pipe',
  '--no-startup-window',
  `--user-data-dir=${profile}`,
  '--no-first-run',
  '--no-default-browser-check',
  '--no-service-autorun',
  '--disable-search-engine-choice-screen',
  '--disable-breakpad',
  '--disable-sync',
  '--disable-extensions',
  '--disable-default-apps',
  '--disable-component-update',
  '--disable-background-networking',
  '--disable-field-trial-config',
  '--disable-back-forward-cache',
  '--disable-popup-blocking',
  '--disable-dev-shm-usage',
  '--disable-features=DestroyProfileOnBrowserClose,msForceBrowserSignIn',
  '--edge-skip-compat-layer-relaunch',
  '--do-not-de-elevate',
  '--password-store=basic',
  '--use-mock-keychain',
  // Chromium refuses to run its sandbox as root.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

type State = Exclude<BrowserContextOptions['storageState'], string | undefined>

/** A browser that HQ opened for one sign-in: visible, with a profile that is removed when it is closed. */
export class SignInBrowser {
  /** The private window that the person signs in with. */
  readonly context: BrowserContext
  /** For people, with its version. */
  readonly name: string
  /** Rejects with a Problem when the person has closed the window, or the browser has ended. */
  readonly gone: Promise<never>
  readonly #browser: Browser
  readonly #folder: string
  #closed: Promise<void> | null = null

  private constructor(parts: {
    browser: Browser
    context: BrowserContext
    folder: string
    name: string
  }) {
    this.#browser = parts.browser
    this.#folder = parts.folder
    this.context = parts.context
    this.name = `${parts.name} ${parts.browser.version()}`
    this.gone = this.#whenGone()
    // Nobody may be waiting for it when it happens.
    this.gone.catch(() => undefined)
  }

  /**
   * Starts the browser and opens its window.
   * @param log takes what Playwright says of a browser that does not start
   * @throws {Problem} `browser_failed`
   */
  static async open(
    { path, name }: BrowserProgram,
    { env, log }: { env: Environment; log: (text: string) => void },
  ): Promise<SignInBrowser> {
    requireDisplay(env)
    const folder = makeTemporary('sign-in')
    const chromium = await loadChromium()
    let browser: Browser | null = null
    try {
      browser = await chromium.launch({
        executablePath: path,
        headless: false,
        ignoreDefaultArgs: true,
        args: switches(join(folder, 'profile')),
        artifactsDir: folder,
        env: browserEnvironment(env, folder),
        // The signals are HQ's: it closes the browser when it ends.
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
        timeout: startMs,
      })
      const context = await browser.newContext(visible)
      await context.newPage()
      return new SignInBrowser({ browser, context, folder, name })
    } catch (error) {
      await browser?.close()
      await wipe(folder)
      log(`${path} did not start: ${String(error)}`)
      throw new Problem(
        'browser_failed',
        `${name} (${path}) did not start; the log of HQ on this laptop has its words. Nothing was sent.`,
      )
    }
  }

  /** Brings the window to the front, also when it is minimised. */
  async show(): Promise<void> {
    const page = this.context.pages().at(-1)
    if (page === undefined) return
    const session = await this.context.newCDPSession(page)
    const { windowId, bounds } = await session.send('Browser.getWindowForTarget')
    if (bounds.windowState === 'minimized')
      await session.send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'normal' } })
    await session.detach()
    await page.bringToFront()
  }

  /**
   * Does `work` in a new private window that starts with `state` and closes afterwards.
   * @param state cookies and storage
   */
  async withFresh<T>(state: State, work: (page: Page) => Promise<T>): Promise<T> {
    const context = await this.#browser.newContext({ ...visible, storageState: state })
    try {
      return await work(await context.newPage())
    } finally {
      await context.close()
    }
  }

  /**
   * Does `work` with the browser. What Playwright throws is replaced: it quotes addresses.
   * @throws {Problem} `browser_ended` when the browser is gone, `browser_failed`, and what `work` throws itself
   */
  async use<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Problem) throw error
      throw this.#browser.isConnected()
        ? new Problem(
            'browser_failed',
            `The browser did not do what HQ requested (${nameOf(error)}). Nothing was sent.`,
          )
        : ended()
    }
  }

  /** Ends the browser and removes its profile. It may be called again. */
  close(): Promise<void> {
    return (this.#closed ??= this.#end())
  }

  async #end(): Promise<void> {
    try {
      await this.#browser.close()
    } finally {
      await wipe(this.#folder)
    }
  }

  async #whenGone(): Promise<never> {
    const disconnected = new Promise((resolve) => this.#browser.once('disconnected', resolve))
    while (this.context.pages().length > 0 && this.#browser.isConnected())
      await Promise.race([disconnected, ...this.context.pages().map(closed)])
    // The windows of a browser that has ended close first.
    await Promise.race([disconnected, delay(endedMs, undefined, { ref: false })])
    if (!this.#browser.isConnected()) throw ended()
    throw new Problem(
      'sign_in_window_closed',
      'The window was closed before somebody had signed in. Nothing was sent; the secret on the host is unchanged.',
    )
  }
}

/** Pages as large as the window, and nothing is downloaded. */
const visible = { viewport: null, acceptDownloads: false } as const

const ended = (): Problem =>
  new Problem(
    'browser_ended',
    'The browser ended by itself or was quit. Nothing was sent; the secret on the host is unchanged.',
  )

const closed = (page: Page): Promise<unknown> =>
  new Promise((resolve) => page.once('close', resolve))

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error)

async function wipe(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

/** @throws {Problem} `browser_failed` where no window can be shown */
function requireDisplay(env: Environment): void {
  if (process.platform !== 'linux') return
  if ((env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '') return
  throw new Problem(
    'browser_failed',
    'HQ runs in a session without a display, so no window can be opened. Nothing was started.',
  )
}
