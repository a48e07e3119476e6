import type { KajabiSettings } from '#shared/connectors/kajabi'
import type { CheckRequest, Found } from '../common/connector.ts'
import type { Cookie } from './login.ts'
import { getSignedIn, readLogin } from './signed-in.ts'

/**
 * Checks whether Kajabi still accepts the captured login: it requests one page that only a signed-in user gets.
 * @throws {Problem} the classes of `readLogin` and `getSignedIn`
 */
export async function checkKajabi(request: CheckRequest<'kajabi'>): Promise<Found> {
  const { settings, signal } = request
  const cookies = readLogin(request)
  const page = new URL(settings.check_path, settings.base_url)
  const { url, sent } = await getSignedIn(page, {
    settings,
    cookies,
    signal,
    within: page.pathname,
  })
  const ends = sessionEnd(sent, settings)
  return {
    detail: `${url.host} accepted the login; ${sent.length} of ${cookies.length} cookies were sent.`,
    ...(ends === null ? {} : { expiresAt: new Date(ends * 1000) }),
  }
}

/** Cookies of what stands in front of a site, such as Cloudflare and AWS: they are renewed with every visit. */
const ofProxy = /^(?:_?_cf|cf_|AWSALB)/i

/**
 * When the first cookie that carries the session ends: the one that the settings name, else those that no script of
 * the page may read, as a session's should be.
 * @returns Unix time in seconds; null when none of them has a date
 */
function sessionEnd(
  sent: readonly Cookie[],
  { signed_in_cookie: named }: Pick<KajabiSettings, 'signed_in_cookie'>,
): number | null {
  const carriesSession = ({ name, httpOnly }: Cookie): boolean =>
    named === null ? httpOnly && !ofProxy.test(name) : name === named
  const ends = sent.flatMap((each) =>
    carriesSession(each) && each.expires !== -1 ? [each.expires] : [],
  )
  return ends.length === 0 ? null : Math.min(...ends)
}
