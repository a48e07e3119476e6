import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { adminTokenHeader } from '#shared/api'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { inUrl } from '#ops/platform/net/addresses'
import { readAdminToken } from '#ops/core/config/admin-token'
import { throughTailscaled } from './tailnet-peers.ts'

export interface AuthRules {
  readonly tokenFile: string
  /**
   * Values of the Host header that are this host, lower case.
   * @param overSocket the request came through the unix socket
   */
  hosts(overSocket: boolean): ReadonlySet<string>
  /** Names of this host in the tailnet, lower case, without a port. */
  readonly names: ReadonlySet<string>
  /** Origins of the console, the only page that may send requests. */
  readonly origins: ReadonlySet<string>
}

const originOf = (url: string): string => new URL(url).origin

/** @param port the port hostd is bound to, once it is; @param address the loopback address it is bound to */
export function authRules(
  settings: HostSettings,
  tokenFile: string,
  bound: { port(): number; readonly address: string },
): AuthRules {
  const names = settings.hostnames.map((name) => name.toLowerCase())
  const console = settings.console_url === undefined ? [] : [originOf(settings.console_url)]
  return {
    tokenFile,
    names: new Set(names),
    hosts: (overSocket) => {
      const port = bound.port()
      const own = [...new Set([inUrl(bound.address), '127.0.0.1', 'localhost'])]
      return new Set([
        ...names,
        ...own.map((name) => `${name}:${port}`),
        ...(overSocket ? ['localhost'] : []),
      ])
    },
    origins: new Set([
      `http://127.0.0.1:${settings.console_port}`,
      `http://localhost:${settings.console_port}`,
      ...console,
      ...names.map((name) => `https://${name}`),
    ]),
  }
}

/** Every value of a header as it stood on the wire. Node joins or drops doubles; here they are counted. */
export function headerValues(request: IncomingMessage, name: string): string[] {
  const values: string[] = []
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    if (request.rawHeaders[at]?.toLowerCase() === name)
      values.push(request.rawHeaders[at + 1] ?? '')
  }
  return values
}

/** Tailscale puts this header on what comes from the public internet. */
export const throughFunnel = (request: IncomingMessage): boolean =>
  headerValues(request, 'tailscale-funnel-request').length > 0

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Where the request comes from: checked for every route, also `/health`. The refusal says nothing about routes.
 * @throws {Problem} `invalid_request`, `host_refused`, `origin_refused`, `funnel_refused`
 */
export function checkOrigin(request: IncomingMessage, rules: AuthRules): void {
  if (!request.url?.startsWith('/'))
    throw new Problem('invalid_request', 'The request names no path of this host.')
  if (!(throughTailscaled(request) ? isNamedInTailnet(request, rules) : isNamed(request, rules)))
    throw new Problem('host_refused', "The Host header is not one of this host's names.")
  const sources = [...headerValues(request, 'origin'), ...headerValues(request, 'referer')]
  if (!sources.every((source) => URL.canParse(source) && rules.origins.has(originOf(source))))
    throw new Problem(
      'origin_refused',
      "The request comes from a page that is not this host's console.",
    )
  if (throughFunnel(request))
    throw new Problem(
      'funnel_refused',
      'The request came through Tailscale Funnel, from the public internet.',
    )
}

function isNamed(request: IncomingMessage, rules: AuthRules): boolean {
  const [host, ...more] = headerValues(request, 'host')
  const known = rules.hosts(request.socket.remoteAddress === undefined)
  return host !== undefined && more.length === 0 && known.has(host.toLowerCase())
}

/** tailscaled writes `localhost` for a unix socket; the name that the caller used stands in another header. */
function isNamedInTailnet(request: IncomingMessage, { names }: AuthRules): boolean {
  const [host, ...more] = headerValues(request, 'x-forwarded-host')
  return (
    host !== undefined &&
    more.length === 0 &&
    names.has(
      host
        .toLowerCase()
        .replace(/:\d{1,5}$/, '')
        .replace(/\.$/, ''),
    )
  )
}

/**
 * The admin token, read each time so that a new one counts at once. Compared in constant time over digests,
 * before the body is read and before anything is said about the route.
 * @throws {Problem} `token_not_configured` when the host has none; `forbidden` when the request's is absent, empty,
 *   doubled or wrong
 */
export function checkToken(request: IncomingMessage, rules: AuthRules): void {
  const expected = digest(readAdminToken(rules.tokenFile))
  const given = headerValues(request, adminTokenHeader)
  const equal = timingSafeEqual(digest(given[0] ?? ''), expected)
  if (given.length !== 1 || given[0] === '' || !equal)
    throw new Problem('forbidden', 'The admin token is absent or not the one of this host.')
}
