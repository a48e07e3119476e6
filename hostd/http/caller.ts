// Who is behind a request, as Tailscale says it.
import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { actorText, localActor, type Caller } from '#shared/tailnet/actor'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { isThisNode, whoIs, type Whois } from '#ops/platform/tailnet/whois'
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
  return values[0]?.trim() || null
}

/**
 * A text as tailscaled sends it: other letters than ASCII stand as encoded words (RFC 2047, Q). A text of ASCII alone
 * it sends as it is, so one that would be ASCII too was written in that form by its owner.
 */
function decodeWords(text: string): string {
  const decoded = text.replaceAll(
    /=\?utf-8\?q\?([^?]*)\?=(?:\s+(?==\?))?/gi,
    (_all, word: string) => {
      const bytes = word
        .replaceAll('_', ' ')
        .replaceAll(/=([0-9a-f]{2})/gi, (_hex, code: string) =>
          String.fromCharCode(Number.parseInt(code, 16)),
        )
      return Buffer.from(bytes, 'latin1').toString('utf8')
    },
  )
  return /[^\x00-\x7f]/.test(decoded) ? decoded : text
}

/** The address of the tailnet that the request came from. */
function addressOf(request: IncomingMessage): string | null {
  const [address, ...more] = headerValues(request, 'x-forwarded-for')
  return address !== undefined && more.length === 0 && ipaddr.isValid(address) ? address : null
}

const printable = (text: string | null | undefined, longest: number): string | null =>
  typeof text === 'string' && text.length <= longest && !/[\p{C}]/u.test(text) ? text : null

const displayName = (request: IncomingMessage): string | null => {
  const name = identityHeader(request, 'Tailscale-User-Name')
  return typeof name === 'string' ? printable(decodeWords(name), 100) : null
}

/**
 * The login, exactly. A header with an encoded word is not exact: somebody's login may be written in that form. Then
 * the word of WhoIs counts, which encodes nothing.
 */
function loginOf(request: IncomingMessage, found: Whois | null): string | null {
  const sent = identityHeader(request, 'Tailscale-User-Login')
  const exact = sent?.includes('=?') ? found?.UserProfile.LoginName : sent
  const login = printable(exact, 200)
  return login === null || /\s/.test(login) ? null : login || null
}

interface Sender {
  readonly caller: Caller
  /** A program of this host connected to the host's own address in the tailnet; null: Tailscale does not say it. */
  readonly own: boolean | null
}

/** @returns null when the request did not come through tailscaled */
async function senderOf(request: IncomingMessage): Promise<Sender | null> {
  if (!throughTailscaled(request)) return null
  const address = addressOf(request)
  const [answer, own] =
    address === null ? [null, null] : await Promise.all([whoIs(address), isThisNode(address)])
  const found = answer?.kind === 'answer' ? answer.value : null
  const caller = {
    login: loginOf(request, found),
    name: displayName(request),
    node: printable(found?.Node.Name.replace(/\.$/, ''), 253) || null,
    tags: (found?.Node.Tags ?? []).filter((tag) => /^tag:[\w-]{1,60}$/.test(tag)),
    address,
  }
  return { caller, own }
}

/** The owner of the host's node may be another person than the one who runs a program on it: `local`. */
const actorOfSender = (sender: Sender | null): string =>
  sender === null || sender.own === true ? localActor : actorText(sender.caller)

/** Who the request is from, for what is kept only while it lasts. Costs no question to tailscaled. */
export function quickActorOf(request: IncomingMessage): string {
  if (!throughTailscaled(request)) return localActor
  const login = printable(identityHeader(request, 'Tailscale-User-Login'), 200)
  return actorText({ login, name: null, node: null, tags: [], address: addressOf(request) })
}

/** Headers that a proxy adds: the request does not come from a program that connected here on its own behalf. */
const proxied = (request: IncomingMessage): boolean =>
  request.rawHeaders.some(
    (name, at) => at % 2 === 0 && /^(?:tailscale-|x-forwarded-|forwarded$)/i.test(name),
  )

/** A program of this host: it connected to the loopback port and names no other origin. */
const isLocalProgram = (request: IncomingMessage): boolean =>
  request.socket.remoteAddress !== undefined && !proxied(request)

/** Who the request is from, for the record. It grants nothing. */
export const actorOf = async (request: IncomingMessage): Promise<string> =>
  actorOfSender(await senderOf(request))

/**
 * Who starts a change, for the record. Where the host narrows it to some logins and tags, nobody else may: the token
 * alone is then not enough, and it is still required. host.json is read each time, so that an edit counts at once.
 * @throws {Problem} `actor_refused`; `config_invalid`
 */
export async function requireActor(request: IncomingMessage, paths: HostPaths): Promise<string> {
  const sender = await senderOf(request)
  const actor = actorOfSender(sender)
  if (isLocalProgram(request)) return actor
  const settings = readHostSettings(paths)
  const narrowed = settings.allowed_logins.length + settings.allowed_tags.length > 0
  if (!narrowed || (sender?.own === false && isAllowed(sender.caller, settings))) return actor
  throw new Problem(
    'actor_refused',
    `This host accepts changes only from some persons, and ${whyRefused(sender, actor)}. Nothing was started.`,
  )
}

const isAllowed = (
  { login, tags }: Caller,
  { allowed_logins, allowed_tags }: HostSettings,
): boolean =>
  login === null ? tags.some((tag) => allowed_tags.includes(tag)) : allowed_logins.includes(login)

function whyRefused(sender: Sender | null, actor: string): string {
  if (sender === null)
    return 'the request says not who sends it: it did not come through the tailnet address of hostd'
  if (sender.own === null)
    return 'Tailscale on the host does not say from which node the request comes'
  return sender.own
    ? 'the request comes from a program of the host itself, not from its owner'
    : `${actor} is not one of them`
}
