import { join } from 'node:path'
import { isHostOf, type KajabiSettings } from '#shared/config/connectors'
import { Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { boundedFetch } from './bounded-fetch.ts'
import { secretsFolder } from '#ops/base/paths/connector-paths'
import { readSecret, type ReadRules } from './secret-files.ts'
import { kajabiLogin, type Cookie } from './secret-kinds.ts'

/** A page that only sends on within itself is followed this often. */
const mostRedirects = 3

/** Would a browser send this cookie with a request to `url`? (RFC 6265 5.4; no leading dot: of that host only.) */
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

const isAtOrBelow = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)

/** A form that asks for a password: who is signed in is not asked for one. */
const passwordField = /<input\b[^>]*\btype\s*=\s*["']?password\b/i

const expired = (why: string): Problem =>
  new Problem('connector_expired', `The captured login is not alive any more: ${why}.`)
const unexpected = (why: string): Problem =>
  new Problem(
    'connector_answer_unexpected',
    `Kajabi did not answer as one who is signed in is answered: ${why}. Nothing is known of the login.`,
  )

/**
 * Is the captured login still alive? One page that only somebody who is signed in gets is asked for, with the cookies that
 * belong to it, from this host and without a browser (design §9).
 *
 * @returns what was found, for a person
 * @throws {Problem} the classes of `readSecret` and `boundedFetch`, `connector_expired`, `connector_answer_unexpected`
 */
export async function checkKajabi(
  settings: KajabiSettings,
  paths: Pick<HostPaths, 'etc'>,
  rules: ReadRules,
  signal: AbortSignal,
): Promise<string> {
  const { cookies } = readSecret(
    join(secretsFolder(paths), settings.storage_state_secret_ref),
    kajabiLogin(settings.hosts),
    rules,
  )
  const asked = new URL(settings.check_path, settings.base_url)
  const now = Date.now() / 1000
  const fitting = cookies.filter((cookie) => goesTo(cookie, asked))
  if (fitting.length === 0)
    throw new Problem(
      'connector_secret_invalid',
      `The captured login has no cookie for ${asked.host}. Nobody was asked.`,
    )
  if (!fitting.some(({ expires }) => isAlive(expires, now)))
    throw expired(
      `all of its ${fitting.length} cookies for ${asked.host} have expired. Nobody was asked`,
    )

  let url = asked
  for (let hop = 0; ; hop += 1) {
    const sent = cookies.filter((cookie) => isAlive(cookie.expires, now) && goesTo(cookie, url))
    const answer = await boundedFetch(url, {
      signal,
      headers: {
        accept: 'text/html,application/xhtml+xml',
        'user-agent': 'openclaw-hq',
        cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
    })
    const next = redirectOf(answer, url)
    if (next === null) {
      await judge(answer, url, settings)
      return `Kajabi answered ${url.host} as one who is signed in; ${sent.length} of ${cookies.length} cookies were sent.`
    }
    refuseAway(next, asked, settings)
    if (hop === mostRedirects) throw unexpected(`it sent on more than ${mostRedirects} times`)
    url = next
  }
}

const isAlive = (expires: number, now: number): boolean => expires === -1 || expires > now

function redirectOf(answer: Response, from: URL): URL | null {
  if (answer.status < 300 || answer.status > 399 || answer.status === 304) return null
  const location = answer.headers.get('location')
  if (location === null || !URL.canParse(location, from.href))
    throw unexpected(`it answered ${answer.status} and named no place`)
  return new URL(location, from)
}

/** Only what lies at or below the page that was asked for is followed. */
function refuseAway(next: URL, asked: URL, { hosts, login_paths }: KajabiSettings): void {
  const ours = isHostOf(next.hostname, hosts)
  if (ours && login_paths.some((path) => isAtOrBelow(next.pathname, path)))
    throw expired('Kajabi sent on to its login')
  // The place is the peer's to choose and may hold anything, so it is not repeated.
  if (next.origin !== asked.origin)
    throw unexpected(
      `it sent on to ${ours ? 'another of its hosts' : 'a foreign host'}, which was not asked`,
    )
  if (!isAtOrBelow(next.pathname, asked.pathname))
    throw unexpected('it sent on to another page, which was not asked')
}

async function judge(answer: Response, url: URL, { check_path }: KajabiSettings): Promise<void> {
  const { status } = answer
  if (status === 401 || status === 403) throw expired(`Kajabi answered ${status}`)
  if (status >= 500 || status === 429)
    throw new Problem(
      'connector_unreachable',
      `${url.host} answered ${status}. Nothing is known of the login.`,
    )
  if (status !== 200) throw unexpected(`${check_path} answered ${status}`)
  if (passwordField.test(await answer.text()))
    throw expired('Kajabi answered with a form that asks for a password')
}
