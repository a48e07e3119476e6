import type { BrowserType } from 'playwright-core'
import { removeVariables, setVariables } from '#ops/base/env'

/** Variables that make Playwright print what it transfers, or open its inspector. */
const printing = /^(?:DEBUG(?:_.*)?|PWDEBUG|SELENIUM_REMOTE_.*)$/

/**
 * Playwright's Chromium, loaded when it is used first. It reads its variables while it loads, so those that would make
 * it print cookies are out of its sight then.
 */
export async function loadChromium(): Promise<BrowserType> {
  const removed = removeVariables((name) => printing.test(name))
  try {
    return (await import('playwright-core')).chromium
  } finally {
    setVariables(removed)
  }
}
