import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import type { KajabiSettings } from '#shared/connectors/kajabi'
import { isHostOf } from '#shared/net/hostnames'
import { Problem } from '#shared/errors'
import type { Attempt } from '../common/attempt.ts'
import { isSignedIn, landmarkText } from './landmark.ts'
import type { SignInBrowser } from './sign-in-browser.ts'

/** Pause between two looks at the window, milliseconds. */
const lookMs = 400

/**
 * Waits until a person has signed in, at any pace.
 * @returns the page that shows it
 * @throws {Problem} `sign_in_timed_out`, `sign_in_window_closed`, `browser_ended`; an AbortError when the attempt is
 *   cancelled
 */
export async function awaitSignIn(
  attempt: Attempt,
  browser: SignInBrowser,
  settings: KajabiSettings,
): Promise<Page> {
  const { signal } = attempt
  const end = performance.now() + settings.sign_in_minutes * 60_000
  for (let said: string | null = null; ;) {
    const pages = browser.context.pages()
    for (const page of pages) if (await isSignedIn(page, settings)) return page
    const leftMs = end - performance.now()
    const elsewhere = foreignHost(pages, settings)
    if (leftMs <= 0) throw timedOut(elsewhere, settings)
    const text = requestText(elsewhere, settings)
    if (text !== said) attempt.ask({ waitingFor: text, limitMs: leftMs })
    said = text
    await Promise.race([delay(Math.min(lookMs, leftMs), undefined, { signal }), browser.gone])
  }
}

const requestText = (elsewhere: string | null, settings: KajabiSettings): string =>
  `Sign in to Kajabi in the window that HQ opened, second factor included. HQ waits until it shows ` +
  `${landmarkText(settings)}${elsewhere === null ? '' : `; now it shows ${elsewhere}`}.`

const timedOut = (elsewhere: string | null, settings: KajabiSettings): Problem =>
  new Problem(
    'sign_in_timed_out',
    `Within ${settings.sign_in_minutes} min the window did not show ${landmarkText(settings)}` +
      `${elsewhere === null ? '' : `; it ended at ${elsewhere}, which is not Kajabi`}. ` +
      'Nothing was sent; the secret on the host is unchanged.',
  )

/** The host that the window shows, when it is not one of Kajabi: only its name, as an address may hold a token. */
function foreignHost(pages: readonly Page[], { hosts }: KajabiSettings): string | null {
  const address = pages.at(-1)?.url() ?? ''
  const shown = URL.canParse(address) ? new URL(address).hostname : ''
  return shown === '' || isHostOf(shown, hosts) ? null : shown
}
