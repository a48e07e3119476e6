import { existsSync } from 'node:fs'
import { chromium, type Browser, type LaunchOptions } from 'playwright'
import { expect } from 'playwright/test'

const installed = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/**
 * The browser of the tests: the one named by OPENCLAW_CHROMIUM, else an installed one, else Playwright's own
 * (undefined).
 */
export function browserPath(): string | undefined {
  const named = process.env['OPENCLAW_CHROMIUM']
  return named !== undefined && named !== '' ? named : installed.find((path) => existsSync(path))
}

/**
 * Longest that a page may take to show or do something, milliseconds: a loaded machine is slow, and what is right is
 * shown all the same.
 */
export const pageMs = 90_000

/** Waits until the page is as expected. */
export const shown = expect.configure({ timeout: pageMs })

/** Starts a browser. The caller closes it. @throws Playwright's error when there is none at all */
export async function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = browserPath()
  return await chromium.launch({
    timeout: 180_000,
    ...options,
    ...(executablePath === undefined ? {} : { executablePath }),
  })
}
