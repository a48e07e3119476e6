// What a signed-in user gets from Kajabi: the captured login, and one page requested with it.
import type { KajabiSettings } from '#shared/connectors/kajabi'
import { Problem } from '#shared/errors'
import { isHostOf } from '#shared/net/hostnames'
import { requestPeer } from '../common/request-peer.ts'
import type { CheckRequest } from '../common/connector.ts'
import { certificatesOf } from '../common/certificates.ts'
import { readSecret } from '../common/read-secret.ts'
import { isSendable, kajabiLogin, type Cookie } from './login.ts'

/** One page as a signed-in user gets it. */
export interface SignedInPage {
  /** Where it was found in the end. */
  readonly url: URL
  readonly answer: Response
  readonly html: string
  /** Cookies that were sent with the last request. */
  readonly sent: readonly Cookie[]
}

interface PageRequest {
  readonly settings: KajabiSettings
  readonly cookies: readonly Cookie[]
  readonly signal: AbortSignal
  /** A redirect is followed to this path and below it only. */
  readonly within: string
}

/** The cookies of the captured login. @throws {Problem} the classes of `readSecret` */
export const readLogin = ({
  settings,
  locate,
  rules,
}: Pick<CheckRequest<'kajabi'>, 'settings' | 'locate' | 'rules'>): readonly Cookie[] =>
  readSecret(locate(settings.storage_state_secret_ref), kajabiLogin(settings.hosts), rules).cookies

/**
 * Requests one page that only a signed-in user gets, with the cookies that belong to it, from this host and without a
 * browser.
 * @throws {Problem} the classes of `requestPeer`, `connector_secret_invalid`, `connector_expired`,
 *   `connector_answer_unexpected`
 */
export async function getSignedIn(page: URL, request: PageRequest): Promise<SignedInPage> {
  const { settings, cookies, signal, within } = request
  const now = Date.now() / 1000
  const ca = certificatesOf(settings.ca_file, 'kajabi.ca_file')
  requireLiveCookie(cookies, page, now)
  let url = page
  for (let hop = 0; ; hop += 1) {
    const sent = cookies.filter((cookie) => isSentTo(cookie, url, now))
    const answer = await requestPeer(url, {
      signal,
      timeoutMs: settings.timeout_seconds * 1000,
      ca,
      headers: {
        accept: 'text/html,application/xhtml+xml',
        cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
    })
    const next = redirectOf(answer, url)
    if (next === null) return { url, answer, html: await contentOf(answer, url, settings), sent }
    refuseOtherPage(next, page, { ...settings, within })
    if (hop === maxRedirects) throw unexpected(`it redirected more than ${maxRedirects} times`)
    url = next
  }
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

/** A request follows this many redirects. */
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

const htmlType = /^(?:text\/html|application\/xhtml\+xml)\s*(?:;|$)/i

const expired = (why: string): Problem =>
  new Problem('connector_expired', `Kajabi no longer accepts the captured login: ${why}.`)
export const unexpected = (why: string): Problem =>
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

/** Is it where Kajabi sends a user who is not signed in? */
const isLoginPage = (
  { hostname, pathname }: URL,
  { hosts, login_paths }: Pick<KajabiSettings, 'hosts' | 'login_paths'>,
): boolean => isHostOf(hostname, hosts) && login_paths.some((path) => isAtOrBelow(pathname, path))

/** A redirect is followed only to where a signed-in user can be. */
function refuseOtherPage(
  next: URL,
  page: URL,
  { within, ...settings }: KajabiSettings & { readonly within: string },
): void {
  if (isLoginPage(next, settings)) throw expired('it redirected to its login page')
  // The peer chooses the address, which may hold anything, so the message does not repeat it.
  const ours = isHostOf(next.hostname, settings.hosts)
  if (next.origin !== page.origin)
    throw unexpected(
      `it redirected to ${ours ? 'another of its hosts' : 'a foreign host'}, which got no request`,
    )
  if (!isAtOrBelow(next.pathname, within))
    throw unexpected('it redirected to another page, which got no request')
}

/** @returns the page @throws {Problem} when it is none that a signed-in user gets */
async function contentOf(answer: Response, url: URL, settings: KajabiSettings): Promise<string> {
  const { status } = answer
  if (status === 401 || status === 403) throw expired(`it answered ${status}`)
  if (status >= 500 || status === 429)
    throw new Problem(
      'connector_unreachable',
      `${url.host} answered ${status}. It is not known whether the login is valid.`,
    )
  if (status !== 200) throw unexpected(`it answered ${status}`)
  if (!htmlType.test(answer.headers.get('content-type') ?? ''))
    throw unexpected('it answered with something that is not a web page')
  const html = await answer.text()
  // Loaded where a page is read: the laptop uses the rest of this file too.
  const { asksToSignIn } = await import('./sign-in-page.ts')
  const asks = asksToSignIn(html, url, (address) => isLoginPage(address, settings))
  if (asks !== null) throw expired(`it answered ${asks}`)
  return html
}
