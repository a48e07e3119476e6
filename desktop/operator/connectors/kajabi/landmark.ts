import type { Page } from 'playwright-core'
import type { KajabiSettings } from '#shared/connectors/kajabi'
import { isAtOrBelow } from '#ops/features/connectors/index'

export type LandmarkSettings = Pick<
  KajabiSettings,
  'base_url' | 'signed_in_paths' | 'signed_in_element' | 'signed_in_cookie' | 'login_paths'
>

/** Does the page show a signed-in user? By its address, and by an element and a cookie where the settings name one. */
export async function isSignedIn(page: Page, settings: LandmarkSettings): Promise<boolean> {
  const { base_url, signed_in_element, signed_in_cookie } = settings
  if (page.isClosed() || !isAtLandmark(page.url(), settings)) return false
  try {
    if ((await page.evaluate<string>('document.readyState')) === 'loading') return false
  } catch {
    return false // it was closed or replaced meanwhile; the next look sees what is there
  }
  if (await isVisible(page, 'input[type=password], input[autocomplete=one-time-code]')) return false
  if (signed_in_element !== null && !(await isVisible(page, signed_in_element))) return false
  const cookies = await page.context().cookies(base_url)
  return signed_in_cookie === null || cookies.some(({ name }) => name === signed_in_cookie)
}

/** What `isSignedIn` waits for, in words. */
export const landmarkText = ({ base_url, signed_in_paths }: LandmarkSettings): string =>
  signed_in_paths.map((path) => `${new URL(base_url).host}${path}`).join(' or ')

/** Is it where Kajabi sends a user who is not signed in? */
export const isLoginPage = (address: string, settings: LandmarkSettings): boolean =>
  isAtOneOf(settings.login_paths, address, settings)

const isAtLandmark = (address: string, settings: LandmarkSettings): boolean =>
  isAtOneOf(settings.signed_in_paths, address, settings) && !isLoginPage(address, settings)

function isAtOneOf(
  paths: readonly string[],
  address: string,
  { base_url }: LandmarkSettings,
): boolean {
  if (!URL.canParse(address)) return false
  const { origin, pathname } = new URL(address)
  return origin === new URL(base_url).origin && paths.some((path) => isAtOrBelow(pathname, path))
}

const isVisible = (page: Page, selector: string): Promise<boolean> =>
  page.locator(`css=${selector}`).filter({ visible: true }).first().isVisible()
