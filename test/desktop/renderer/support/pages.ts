import type { Browser, ConsoleMessage, Page } from 'playwright'
import { afterAll, beforeAll } from 'vitest'
import { serveBuilt, emptyPage, type BuiltRenderer } from './built-renderer.ts'
import type { Scene } from './scenes.ts'
import { launchBrowser, pageMs } from '../../../support/browser.ts'
import { script } from './scripted-transport.ts'

export interface Opened {
  readonly page: Page
  readonly complaints: string[]
}

interface View {
  readonly path?: string
  readonly width?: number
  readonly height?: number
  readonly theme?: 'light' | 'dark'
}

export interface RendererInBrowser {
  /** Address of HQ, without a path. */
  readonly url: string
  readonly browser: Browser
  /** Opens HQ on a scene; see `open`. */
  open(scene: Scene, view?: View): Promise<Opened>
}

/** HQ's renderer as it ships, and a browser, for the tests of a file. Call it at the top of the file. */
export function rendererInBrowser(): RendererInBrowser {
  let built: BuiltRenderer
  let browser: Browser
  beforeAll(async () => {
    ;[built, browser] = await Promise.all([serveBuilt(), launchBrowser()])
  })
  afterAll(async () => {
    await browser.close()
    await built.close()
  })
  return {
    get url() {
      return built.url
    },
    get browser() {
      return browser
    },
    open: async (scene, view) => await open(browser, built, scene, view),
  }
}

/** Pages that a test has left. Used again, one costs a third of the CPU of a new one: its program is compiled. */
const free = new WeakMap<Browser, Page[]>()
/** Takes what a test put on its page off again. */
const cleanings = new WeakMap<Page, () => Promise<void>>()

/**
 * Opens HQ on a scene. `complaints` gathers what the browser objects to: script errors and refusals of the page's
 * policy. The test ends with `leave`.
 */
export async function open(
  browser: Browser,
  built: BuiltRenderer,
  scene: Scene,
  { path = '/', width = 1440, height = 900, theme = 'light' }: View = {},
): Promise<Opened> {
  const page = await freePage(browser)
  await page.setViewportSize({ width, height })
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
  const complaints: string[] = []
  const onError = ({ message }: Error): unknown => complaints.push(message)
  const onConsole = (message: ConsoleMessage): unknown =>
    message.type() === 'error' && complaints.push(message.text())
  page.on('pageerror', onError)
  page.on('console', onConsole)
  const scripted = await script(page, scene)
  cleanings.set(page, async () => {
    page.off('pageerror', onError)
    page.off('console', onConsole)
    await scripted.dispose()
    await page.goto(`${built.url}${emptyPage}`)
    await page.evaluate('localStorage.clear(); sessionStorage.clear()')
    // Nothing is below the pointer when the next test begins.
    await page.mouse.move(-1, -1)
  })
  await page.goto(`${built.url}#${path}`)
  await page.getByRole('navigation', { name: 'Main' }).waitFor()
  // What is shown hears the keyboard only once its effects have run: right after the next frame.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))')
  return { page, complaints }
}

/** Ends the use of a page of `open`. Nothing that the test did with it is there for the next one. */
export async function leave(page: Page): Promise<void> {
  const browser = page.context().browser()
  await cleanings.get(page)?.()
  if (browser !== null) free.set(browser, [...(free.get(browser) ?? []), page])
}

async function freePage(browser: Browser): Promise<Page> {
  const page = free.get(browser)?.pop()
  if (page !== undefined) return page
  const context = await browser.newContext()
  context.setDefaultTimeout(pageMs)
  return await context.newPage()
}
