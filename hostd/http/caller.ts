// Who is behind a request, as Tailscale says it.
import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { actorText, localActor, type Caller } from '#shared/tailnet/actor'
import { whoIs } from '#ops/platform/tailnet/whois'
import { headerValues } from './auth.ts'
import { throughTailscaled } from './tailnet-peers.ts'

const userHeaders = ['Tailscale-User-Login', 'Tailscale-User-Name'] as const

/**
 * Identity that a request claims and that does not count: it did not come through the socket of tailscaled, or is not
 * written as tailscaled writes it.
 */
export function claimsIdentity(request: IncomingMessage): boolean {
  const names = request.rawHeaders.filter(
    (name, at) => at % 2 === 0 && /^tailscale-user-/i.test(name),
  )
  if (names.length === 0) return false
  return (
    !throughTailscaled(request) ||
    userHeaders.some((name) => identityHeader(request, name) === undefined)
  )
}

/** @returns its text; null when it is absent or empty; undefined when it is doubled, or spelled in another way */
function identityHeader(
  request: IncomingMessage,
  name: (typeof userHeaders)[number],
): string | null | undefined {
  const values = headerValues(request, name.toLowerCase())
  if (values.length === 0) return null
  const exact = request.rawHeaders.filter((each, at) => at % 2 === 0 && each === name).length
  if (values.length > 1 || exact !== 1) return undefined
  return decodeWords(values[0] ?? '').trim() || null
}

/** A text as tailscaled sends it: other letters than ASCII stand as encoded words (RFC 2047, Q). */
function decodeWords(text: string): string {
  return text.replaceAll(/=\?utf-8\?q\?([^?]*)\?=(?:\s+(?==\?))?/gi, (_all, word: string) => {
    const bytes = word
      .replaceAll('_', ' ')
      .replaceAll(/=([0-9a-f]{2})/gi, (_hex, code: string) =>
        String.fromCharCode(Number.parseInt(code, 16)),
      )
    return Buffer.from(bytes, 'latin1').toString('utf8')
  })
}

/** The address of the tailnet that the request came from. */
function addressOf(request: IncomingMessage): string | null {
  const [address, ...more] = headerValues(request, 'x-forwarded-for')
  return address !== undefined && more.length === 0 && ipaddr.isValid(address) ? address : null
}

const printable = (text: string | null | undefined, longest: number): string | null =>
  typeof text === 'string' && text.length <= longest && !/[\p{C}]/u.test(text) ? text : null

/** @returns null when the request did not come through tailscaled */
async function callerOf(request: IncomingMessage): Promise<Caller | null> {
  if (!throughTailscaled(request)) return null
  const login = printable(identityHeader(request, 'Tailscale-User-Login'), 200)
  const address = addressOf(request)
  const found = address === null ? null : await whoIs(address)
  const node = found?.kind === 'answer' ? found.value.Node : null
  return {
    login: login !== null && /\s/.test(login) ? null : login,
    name: printable(identityHeader(request, 'Tailscale-User-Name'), 100),
    node: printable(node?.Name.replace(/\.$/, ''), 253) || null,
    tags: (node?.Tags ?? []).filter((tag) => /^tag:[\w-]{1,60}$/.test(tag)),
  }
}

/** Who the request is from, for what is kept only while it lasts. Costs no question to tailscaled. */
export const quickActorOf = (request: IncomingMessage): string =>
  throughTailscaled(request)
    ? (printable(identityHeader(request, 'Tailscale-User-Login'), 200) ??
      addressOf(request) ??
      localActor)
    : localActor

/** Headers that a proxy adds: the request does not come from a program that connected here on its own behalf. */
const proxied = (request: IncomingMessage): boolean =>
  request.rawHeaders.some(
    (name, at) => at % 2 === 0 && /^(?:tailscale-|x-forwarded-|forwarded$)/i.test(name),
  )

/** A program of this host: it connected to the loopback port and names no other origin. */
const isLocalProgram = (request: IncomingMessage): boolean =>
  request.socket.remoteAddress !== undefined && !proxied(request)

/** Who the request is from, for the record. It grants nothing. */
export async function actorOf(request: IncomingMessage): Promise<string> {
  const caller = await callerOf(request)
  return caller === null ? localActor : actorText(caller)
}

/**
 * Who starts a change, for the record. Where the host narrows it to some logins and tags, nobody else may: the token
 * alone is then not enough, and it is still required.
 * @throws {Problem} `actor_refused`
 */
export async function requireActor(
  request: IncomingMessage,
  { allowed_logins, allowed_tags }: Pick<HostSettings, 'allowed_logins' | 'allowed_tags'>,
): Promise<string> {
  const caller = await callerOf(request)
  const actor = caller === null ? localActor : actorText(caller)
  if (allowed_logins.length + allowed_tags.length === 0 || isLocalProgram(request)) return actor
  const allowed =
    caller !== null &&
    ((caller.login !== null && allowed_logins.includes(caller.login)) ||
      (caller.login === null && caller.tags.some((tag) => allowed_tags.includes(tag))))
  if (allowed) return actor
  throw new Problem(
    'actor_refused',
    caller === null
      ? 'This host accepts changes only from some persons, and the request says not who sends it: it did not come ' +
          'through the tailnet address of hostd. Nothing was started.'
      : `This host accepts changes only from some persons, and ${actor} is not one of them. Nothing was started.`,
  )
}
