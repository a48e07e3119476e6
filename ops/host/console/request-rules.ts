// Which requests the console answers, and which headers it passes on.
import type { IncomingMessage } from 'node:http'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { tailnetPorts } from '#shared/tailnet/ports'

export interface RequestRules {
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
}

/**
 * Host names under which this console answers, and pages that may send requests to it: only its own.
 * @param port port it listens on
 */
export function requestRules(settings: HostSettings, port: number): RequestRules {
  const own = [`127.0.0.1:${port}`, `localhost:${port}`]
  // Serve passes on the name that the browser used, with the port of the console in the tailnet.
  const names = settings.hostnames
    .map((name) => name.toLowerCase())
    .flatMap((name) => [name, `${name}:${tailnetPorts.console}`])
  const url = settings.console_url === undefined ? null : new URL(settings.console_url)
  return {
    hosts: new Set([...own, ...names, ...(url ? [url.host] : [])]),
    origins: new Set([
      ...own.map((host) => `http://${host}`),
      ...names.map((name) => `https://${name}`),
      ...(url ? [url.origin] : []),
    ]),
  }
}

const values = ({ rawHeaders }: IncomingMessage, name: string): string[] =>
  rawHeaders.flatMap((value, at) =>
    at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name ? [value] : [],
  )

/**
 * Refuses a page of another origin, a rebound DNS name and the public internet, before anything else is read.
 * @throws {Problem} `host_refused` · `origin_refused` · `funnel_refused`
 */
export function checkRequest(request: IncomingMessage, { hosts, origins }: RequestRules): void {
  const named = values(request, 'host')
  if (named.length !== 1 || !hosts.has(named[0]?.toLowerCase() ?? ''))
    throw new Problem('host_refused', "The Host header is not one of this console's names.")
  const sources = [...values(request, 'origin'), ...values(request, 'referer')]
  if (!sources.every((source) => URL.canParse(source) && origins.has(new URL(source).origin)))
    throw new Problem('origin_refused', 'The request comes from a page that is not this console.')
  if (values(request, 'tailscale-funnel-request').length > 0)
    throw new Problem(
      'funnel_refused',
      'The request came through Tailscale Funnel, from the public internet.',
    )
}

/**
 * Headers that a client could forge to hide who or where it is; headers that this console has checked itself; and
 * headers about the connection to it instead of the request (RFC 9110 7.6.1), which its own client refuses to send.
 */
const dropped =
  /^(?:tailscale-.*|x-forwarded-.*|forwarded|x-real-ip|via|origin|referer|cookie|expect|keep-alive|proxy-.*|te|trailer|upgrade)$/

/** The headers for hostd: the caller's own, the admin token among them, without the ones above. */
export const forwardedHeaders = <T>(
  headers: Record<string, T>,
  host: string,
): Record<string, T | string> => ({
  ...Object.fromEntries(
    Object.entries(headers).filter(([name]) => !dropped.test(name.toLowerCase())),
  ),
  host,
})
