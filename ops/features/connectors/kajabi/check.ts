import type { KajabiSettings } from '#shared/connectors/kajabi'
import { toProblem, type ErrorClass } from '#shared/errors'
import type { CheckRequest, Found } from '../common/connector.ts'
import type { Cookie } from './login.ts'
import { getSignedIn, readLogin, unexpected } from './signed-in.ts'

/**
 * Checks whether Kajabi still accepts the captured login: it requests one page that only a signed-in user gets, and
 * once more as somebody whose session is wrong. A page that both get says nothing about the login: that of another
 * site, one in between, or one that says that a session has ended.
 * @throws {Problem} the classes of `readLogin` and `getSignedIn`
 */
export async function checkKajabi(request: CheckRequest<'kajabi'>): Promise<Found> {
  const { settings, signal } = request
  const cookies = readLogin(request)
  const page = new URL(settings.check_path, settings.base_url)
  const asked = { settings, signal, within: page.pathname }
  const { url, html, sent } = await getSignedIn(page, { ...asked, cookies })
  if (settings.check_text !== null && !html.includes(settings.check_text))
    throw unexpected('its page does not hold the text that kajabi.check_text names')
  const wrong = withWrongSession(cookies, settings)
  if (await isShown(() => getSignedIn(page, { ...asked, cookies: wrong })))
    throw unexpected(
      'it shows a page of kajabi.check_path to somebody who is not signed in too, so the page proves nothing',
    )
  const ends = sessionEnd(sent, settings)
  return {
    detail: `${url.host} accepted the login; ${sent.length} of ${cookies.length} cookies were sent.`,
    ...(ends === null ? {} : { expiresAt: new Date(ends * 1000) }),
  }
}

/** Cookies of what stands in front of a site, such as Cloudflare and AWS: they are renewed with every visit. */
const ofProxy = /^(?:_?_cf|cf_|AWSALB)/i

/** The one that the settings name, else those that no script of the page may read, as a session's should be. */
const carriesSession = (
  { name, httpOnly }: Cookie,
  { signed_in_cookie: named }: Pick<KajabiSettings, 'signed_in_cookie'>,
): boolean => (named === null ? httpOnly && !ofProxy.test(name) : name === named)

/** The same cookies, with a session that nobody has. */
function withWrongSession(cookies: readonly Cookie[], settings: KajabiSettings): Cookie[] {
  const known = cookies.some((each) => carriesSession(each, settings))
  return cookies.map((each) =>
    known && !carriesSession(each, settings)
      ? each
      : { ...each, value: each.value.replaceAll(/[a-z0-9]/gi, 'x') },
  )
}

/** Problems by which Kajabi says that it does not know who requests the page. */
const notShown: ReadonlySet<ErrorClass> = new Set([
  'connector_expired',
  'connector_answer_unexpected',
])

/** Does a request of a page get one? @throws {Problem} when nobody knows */
async function isShown(request: () => Promise<unknown>): Promise<boolean> {
  try {
    await request()
    return true
  } catch (error) {
    if (notShown.has(toProblem(error).errorClass)) return false
    throw error
  }
}

/**
 * When the first cookie that carries the session ends.
 * @returns Unix time in seconds; null when none of them has a date
 */
function sessionEnd(sent: readonly Cookie[], settings: KajabiSettings): number | null {
  const ends = sent.flatMap((each) =>
    carriesSession(each, settings) && each.expires !== -1 ? [each.expires] : [],
  )
  return ends.length === 0 ? null : Math.min(...ends)
}
