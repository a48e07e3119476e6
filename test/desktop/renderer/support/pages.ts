import type { Browser, Page } from 'playwright'
import type { BuiltRenderer } from './built-renderer.ts'
import type { Scene } from './scenes.ts'
import { pageMs } from '../../../support/browser.ts'
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

/**
 * Opens HQ on a scene. `complaints` gathers what the browser objects to: script errors and refusals of the page's
 * policy.
 */
export async function open(
  browser: Browser,
  built: BuiltRenderer,
  scene: Scene,
  { path = '/', width = 1440, height = 900, theme = 'light' }: View = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
  })
  context.setDefaultTimeout(pageMs)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await script(page, scene)
  await page.goto(`${built.url}#${path}`)
  await page.getByRole('navigation', { name: 'Main' }).waitFor()
  // What is shown hears the keyboard only once its effects have run: right after the next frame.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))')
  return { page, complaints }
}
