import type { KajabiSettings } from '#shared/connectors/kajabi'
import { Problem } from '#shared/errors'
import { isHostOf } from '#shared/net/hostnames'
import { requestPeer } from '../common/request-peer.ts'
import type { CheckRequest, Found } from '../common/connector.ts'
import { readSecret } from '../common/read-secret.ts'
import { isSendable, kajabiLogin, type Cookie } from './login.ts'

/**
 * Checks whether Kajabi still accepts the captured login. It requests one page that only a signed-in user gets,
 * with the cookies that belong to it, from this host and without a browser.
 * @throws {Problem} the classes of `readSecret` and `requestPeer`, `connector_expired`,
 *   `connector_answer_unexpected`
 */
export async function checkKajabi(request: CheckRequest<'kajabi'>): Promise<Found> {
  const { settings, locate, rules, signal } = request
  const { cookies } = readSecret(
    locate(settings.storage_state_secret_ref),
    kajabiLogin(settings.hosts),
    rules,
  )
  const page = new URL(settings.check_path, settings.base_url)
  const now = Date.now() / 1000
  requireLiveCookie(cookies, page, now)
  let url = page
  for (let hop = 0; ; hop += 1) {
    const sent = cookies.filter((cookie) => isSentTo(cookie, url, now))
    const answer = await requestPeer(url, {
      signal,
      timeoutMs: settings.timeout_seconds * 1000,
      headers: {
        accept: 'text/html,application/xhtml+xml',
        cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
    })
    const next = redirectOf(answer, url)
    if (next === null) {
      await judge(answer, url, settings)
      const ends = sessionEnd(sent, settings)
      return {
        detail: `${url.host} accepted the login; ${sent.length} of ${cookies.length} cookies were sent.`,
        ...(ends === null ? {} : { expiresAt: new Date(ends * 1000) }),
      }
    }
    refuseOtherPage(next, page, settings)
    if (hop === maxRedirects) throw unexpected(`it redirected more than ${maxRedirects} times`)
    url = next
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

/** @throws {Problem} when no cookie belongs to the page, or all of them have expired */
function requireLiveCookie(cookies: readonly Cookie[], page: URL, now: number): void {
  const fitting = cookies.filter((cookie) => goesTo(cookie, page))
  if (fitting.length === 0)
    throw new Problem(
      'connector_secret_invalid',
      `The captured login has no cookie for ${page.host}. No request was sent.`,
    )
  if (!fitting.some(({ expires }) => isAlive(expires, now)))
    throw expired(
      `all of its ${fitting.length} cookies for ${page.host} have expired. No request was sent`,
    )
}

/** The check follows this many redirects within the page. */
const maxRedirects = 3

/** Would a browser send this cookie with a request to `url`? (RFC 6265 5.4; no leading dot: that host only.) */
function goesTo({ domain, path, secure }: Cookie, url: URL): boolean {
  const { hostname, pathname, protocol } = url
  const hostFits = domain.startsWith('.')
    ? isHostOf(hostname, [domain.slice(1)])
    : hostname === domain
  const pathFits =
    pathname === path ||
    (pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/'))
  return hostFits && pathFits && (!secure || protocol === 'https:')
}

/** Is this cookie part of the request of a signed-in user? @param now Unix time in seconds */
export const isSentTo = (cookie: Cookie, url: URL, now: number): boolean =>
  isAlive(cookie.expires, now) && goesTo(cookie, url) && isSendable(cookie)

/** Is a page that path, or below it? */
export const isAtOrBelow = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)

/** A form with a password field: a signed-in user does not get one. */
const passwordField = /<input\b[^>]*\btype\s*=\s*["']?password\b/i

const expired = (why: string): Problem =>
  new Problem('connector_expired', `Kajabi no longer accepts the captured login: ${why}.`)
const unexpected = (why: string): Problem =>
  new Problem(
    'connector_answer_unexpected',
    `Kajabi neither accepted nor refused the login: ${why}. It is not known whether the login is valid.`,
  )

const isAlive = (expires: number, now: number): boolean => expires === -1 || expires > now

function redirectOf(answer: Response, from: URL): URL | null {
  if (answer.status < 300 || answer.status > 399 || answer.status === 304) return null
  const location = answer.headers.get('location')
  if (location === null || !URL.canParse(location, from.href))
    throw unexpected(`it answered ${answer.status} without an address`)
  return new URL(location, from)
}

/** The check follows a redirect only to the requested page or below it. */
function refuseOtherPage(next: URL, page: URL, { hosts, login_paths }: KajabiSettings): void {
  const ours = isHostOf(next.hostname, hosts)
  if (ours && login_paths.some((path) => isAtOrBelow(next.pathname, path)))
    throw expired('it redirected to its login page')
  // The peer chooses the address, which may hold anything, so the message does not repeat it.
  if (next.origin !== page.origin)
    throw unexpected(
      `it redirected to ${ours ? 'another of its hosts' : 'a foreign host'}, which got no request`,
    )
  if (!isAtOrBelow(next.pathname, page.pathname))
    throw unexpected('it redirected to another page, which got no request')
}

async function judge(answer: Response, url: URL, { check_path }: KajabiSettings): Promise<void> {
  const { status } = answer
  if (status === 401 || status === 403) throw expired(`it answered ${status}`)
  if (status >= 500 || status === 429)
    throw new Problem(
      'connector_unreachable',
      `${url.host} answered ${status}. It is not known whether the login is valid.`,
    )
  if (status !== 200) throw unexpected(`${check_path} answered ${status}`)
  if (passwordField.test(await answer.text()))
    throw expired('it answered with a form that asks for a password')
}
