// The token endpoint of Google as the host and the laptop speak to it, and the problem of one that refuses.
import {
  allowInsecureRequests,
  AuthorizationResponseError,
  ClientSecretPost,
  Configuration,
  customFetch,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
  type CustomFetch,
  type ServerMetadata,
  type TokenEndpointResponse,
} from 'openid-client'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import { requestPeer } from '../common/request-peer.ts'

interface Peer {
  readonly server: ServerMetadata & { readonly token_endpoint: string }
  readonly client: { readonly client_id: string; readonly client_secret: string }
  readonly signal: AbortSignal
  /** Limit of one request, milliseconds. */
  readonly timeoutMs: number
}

/** The library's view of the peer. Every request is bounded, and no redirect is followed. */
export function oauthPeer({ server, client, signal, timeoutMs }: Peer): Configuration {
  const config = new Configuration(
    server,
    client.client_id,
    undefined,
    ClientSecretPost(client.client_secret),
  )
  config.timeout = timeoutMs / 1000
  const fetchBounded: CustomFetch = async (url, { headers, body }) => {
    const request = { method: 'POST', headers, body: formText(body), signal, timeoutMs } as const
    return refuseOverload(new URL(url).host, await requestPeer(url, request))
  }
  config[customFetch] = fetchBounded
  // Settings and client files allow plain HTTP to this machine only.
  if (new URL(server.token_endpoint).protocol === 'http:') allowInsecureRequests(config)
  return config
}

/**
 * An answer that says nothing about the secret, because the peer could not look at it.
 * @throws {Problem} `connector_unreachable`
 */
export function refuseOverload(host: string, answer: Response): Response {
  if (answer.status < 500 && answer.status !== 429) return answer
  throw new Overloaded(host, answer.status)
}

class Overloaded extends Problem {
  constructor(host: string, status: number) {
    super(
      'connector_unreachable',
      `${host} answered ${status}. It is not known whether the secret is valid.`,
    )
  }
}

/** Pauses before the second and the third request, milliseconds. */
const pauses = [500, 1500]

/**
 * Requests again while the peer answers that it is overloaded or out of order: three times at most. Nothing else is
 * tried again, a lost connection neither: the peer may have renewed the token.
 */
export async function whileOverloaded<T>(
  request: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (const pause of pauses)
    try {
      return await request()
    } catch (error) {
      if (!(problemIn(error) instanceof Overloaded)) throw error
      await delay(pause, undefined, { signal })
    }
  return await request()
}

/** The library sends a grant as a form (RFC 6749 4.1.3). */
function formText(body: Parameters<CustomFetch>[1]['body']): string {
  if (!(body instanceof URLSearchParams)) throw new TypeError('The body of a grant is not a form.')
  return body.toString()
}

/** The end of a refresh token, which Google names for an app whose consent screen is in testing (7 days). */
export function endOfToken({
  refresh_token_expires_in: seconds,
}: TokenEndpointResponse): Date | null {
  const known = typeof seconds === 'number' && seconds > 0 && seconds < 10 * 365 * 86_400
  return known ? new Date(Date.now() + seconds * 1000) : null
}

/** The `error` that the peer sent (RFC 6749 5.2, RFC 8628 3.5), whatever the status; null: it sent none. */
export const oauthErrorOf = (thrown: unknown): string | null =>
  thrown instanceof ResponseBodyError || thrown instanceof AuthorizationResponseError
    ? thrown.error
    : null

/** Codes of RFC 6749 5.2 and of Google. Nothing else that a token endpoint sends may appear in a message. */
const codes = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'access_denied',
  'admin_policy_enforced',
  'deleted_client',
  'org_internal',
])

/** Those that say nothing about the token: the peer does not take the client itself. */
const codesOfClient = new Set([
  'invalid_client',
  'unauthorized_client',
  'deleted_client',
  'org_internal',
])

/** Is it the client that the peer refused, whatever its token? @param thrown by a grant */
export const isAboutClient = (thrown: unknown): boolean =>
  thrown instanceof WWWAuthenticateChallengeError || codesOfClient.has(oauthErrorOf(thrown) ?? '')

/** @returns the code, when it may be repeated in a message */
export const repeatable = (code: string): string => (codes.has(code) ? code : 'an unknown code')

/**
 * The problem of a grant that failed. What the peer sent is not repeated, its known codes excepted.
 * @param host of the endpoint
 */
export const grantProblem = (host: string, thrown: unknown): Problem =>
  problemIn(thrown) ?? refusal(host, thrown)

/** The problem that one of our requests threw; the library wraps it. */
function problemIn(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  return error instanceof Error ? problemIn(error.cause) : null
}

function refusal(host: string, error: unknown): Problem {
  const code = oauthErrorOf(error)
  if (code === 'invalid_grant')
    return new Problem(
      'connector_expired',
      `${host} no longer accepts the refresh token (invalid_grant): it was revoked or has expired.`,
      { cause: error },
    )
  if (code === 'invalid_scope')
    return new Problem(
      'connector_scope_missing',
      `${host} no longer grants the scopes of the token (invalid_scope).`,
      { cause: error },
    )
  if (code !== null)
    return new Problem(
      'connector_refused',
      `${host} refused the client or its token (${repeatable(code)}).`,
      { cause: error },
    )
  if (error instanceof WWWAuthenticateChallengeError)
    return new Problem('connector_refused', `${host} refused the client (${error.status}).`, {
      cause: error,
    })
  return new Problem(
    'connector_answer_unexpected',
    `${host} did not answer like a token endpoint. It is not known whether the token is valid.`,
    { cause: error },
  )
}
