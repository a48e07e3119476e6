import { setTimeout as delay } from 'node:timers/promises'
import type { Page, Response } from 'playwright-core'
import type { KajabiSettings } from '#shared/connectors/kajabi'
import { Problem } from '#shared/errors'
import { knowSecrets } from '#ops/base/redact/redaction'
import type { Attempt } from '../common/attempt.ts'
import type { Obtain, WayOptions } from '../common/way.ts'
import { awaitSignIn } from './await-sign-in.ts'
import { hasUsableCookie, keepOurs, loginBytes, type StorageState } from './captured-login.ts'
import { downloadBrowser } from './download-browser.ts'
import { findBrowser } from './find-browser.ts'
import { settingsOfHost } from '../common/host-settings.ts'
import { isLoginPage, isSignedIn } from './landmark.ts'
import { SignInBrowser } from './sign-in-browser.ts'

/** The first answer of Kajabi takes at most this long, milliseconds. */
const firstPageMs = 60_000
/** Pause between two looks at the page that proves the login, milliseconds. */
const lookMs = 200

/** Opens a browser, waits until a person has signed in to Kajabi, and takes the cookies. */
export const obtainKajabiLogin: Obtain = (attempt, options) =>
  captureLogin(attempt, options, () => settingsOfHost('kajabi', options.client, attempt.signal))

/**
 * The same with settings of the caller: the steps `open`, `sign_in` and `check`.
 * @param readSettings its failure ends the attempt before a browser opens
 * @returns the login as the host stores it; it is nowhere else
 * @throws {Problem} of the classes of a sign-in (`shared/errors/host.ts`). The browser is closed then, and its profile
 *   removed.
 */
export async function captureLogin(
  attempt: Attempt,
  { env, log }: Pick<WayOptions, 'env' | 'log'>,
  readSettings: () => Promise<KajabiSettings>,
): ReturnType<Obtain> {
  const { browser, settings } = await attempt.step('open', async () => {
    const settings = await readSettings()
    const program =
      (await findBrowser(env)) ??
      (await downloadBrowser({
        env,
        log,
        signal: attempt.signal,
        say: (text) => attempt.say(text),
      }))
    const browser = await SignInBrowser.open(program, { env, log })
    return { detail: browser.name, value: { browser, settings } }
  })
  // What waits for the browser ends with it.
  const end = (): void => void browser.close().catch((error: unknown) => log(String(error)))
  attempt.signal.addEventListener('abort', end)
  try {
    attempt.hasWindow(() => browser.show())
    const page = await attempt.step('sign_in', async () => ({
      detail: null,
      value: await browser.use(() => signIn(attempt, browser, settings)),
    }))
    return await attempt.step('check', async () => {
      const bytes = await browser.use(() => takeLogin(page, browser, settings))
      return { detail: `${bytes.length} bytes`, value: [{ kind: 'storage_state', bytes }] }
    })
  } finally {
    attempt.signal.removeEventListener('abort', end)
    attempt.hasWindow(null)
    await browser.close()
  }
}

async function signIn(
  attempt: Attempt,
  browser: SignInBrowser,
  settings: KajabiSettings,
): Promise<Page> {
  const [page] = browser.context.pages()
  if (page !== undefined) await openPage(page, settings)
  return await awaitSignIn(attempt, browser, settings)
}

/**
 * Takes what the browser holds, keeps what is of Kajabi, and proves it in a window that has nothing else.
 * @throws {Problem} `sign_in_not_kept`, `connector_secret_invalid`, `connector_unreachable`
 */
async function takeLogin(
  page: Page,
  browser: SignInBrowser,
  settings: KajabiSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  const state = await browser.context.storageState()
  knowSecrets(state.cookies.map(({ value }) => value))
  const kept = keepOurs(state, settings)
  if (!hasUsableCookie(kept, settings)) throw await notKept(page, settings)
  const bytes = loginBytes(kept, settings)
  if (!(await worksAlone(kept, browser, settings))) throw await notKept(page, settings)
  return bytes
}

/** Does the kept part alone show a signed-in user, in a window that has nothing else? */
async function worksAlone(
  kept: StorageState,
  browser: SignInBrowser,
  settings: KajabiSettings,
): Promise<boolean> {
  return await browser.withFresh(kept, async (page) => {
    const answer = await openPage(page, settings)
    const status = answer?.status() ?? 0
    if (status >= 500 || status === 429)
      throw new Problem(
        'connector_unreachable',
        `Kajabi answered ${status} when HQ tried the sign-in. Nothing was sent.`,
      )
    const landmark = { ...settings, signed_in_paths: [settings.check_path] }
    for (const end = performance.now() + settings.timeout_seconds * 1000; ;) {
      if (await isSignedIn(page, landmark)) return true
      if (performance.now() >= end || isLoginPage(page.url(), settings)) return false
      await delay(lookMs)
    }
  })
}

/** @throws {Problem} `connector_unreachable`, `connector_insecure` */
async function openPage(page: Page, settings: KajabiSettings): Promise<Response | null> {
  const { host, href } = new URL(settings.check_path, settings.base_url)
  try {
    return await page.goto(href, { waitUntil: 'commit', timeout: firstPageMs })
  } catch (error) {
    const code = /\bnet::(ERR_[A-Z_]+)/.exec(String(error))?.[1]
    if (code === undefined) throw error
    throw new Problem(
      /^ERR_(?:CERT|SSL)_/.test(code) ? 'connector_insecure' : 'connector_unreachable',
      `The browser could not open ${host} (${code}). Nothing was sent; the secret on the host is unchanged.`,
    )
  }
}

/** A script for the page. */
const countStored = '(async () => [sessionStorage.length, (await indexedDB.databases()).length])()'

/** Says where the page keeps a sign-in that its cookies do not hold. */
async function notKept(page: Page, { hosts }: KajabiSettings): Promise<Problem> {
  const [session, databases] = page.isClosed()
    ? [0, 0]
    : await page.evaluate<[number, number]>(countStored)
  const places = [
    session === 0 ? '' : 'the memory of its window (sessionStorage)',
    databases === 0 ? '' : 'a database of the browser (indexedDB)',
  ].filter((text) => text !== '')
  const where =
    places.length === 0
      ? ''
      : ` The page also keeps data in ${places.join(' and in ')}, which a host cannot use.`
  return new Problem(
    'sign_in_not_kept',
    `The cookies of ${hosts.join(', ')} alone do not sign in.${where} ` +
      'Nothing was sent; the secret on the host is unchanged.',
  )
}
