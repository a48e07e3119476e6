import { join } from 'node:path'
import {
  allowInsecureRequests,
  AuthorizationResponseError,
  ClientSecretPost,
  Configuration,
  customFetch,
  refreshTokenGrant,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
  type CustomFetch,
} from 'openid-client'
import { z } from 'zod'
import type { GmailSettings } from '#shared/connectors/gmail'
import { Problem } from '#shared/errors'
import { secretsFolder } from '#ops/base/paths/connector-paths'
import { knowSecrets } from '#ops/base/redact/redaction'
import { requestPeer } from '../common/request-peer.ts'
import type { CheckRequest, Found } from '../common/connector.ts'
import { readSecret } from '../common/read-secret.ts'
import { clientFile, gmailClient, gmailToken, tokenFile } from './secrets.ts'

/**
 * Refreshes the token at the token endpoint and reads the profile of Gmail with the result.
 * @throws {Problem} the classes of `readSecret` and `requestPeer`, `connector_expired`, `connector_refused`,
 *   `connector_scope_missing`, `connector_answer_unexpected`
 */
export async function checkGmailToken(request: CheckRequest<'gmail'>): Promise<Found> {
  const { settings, paths, rules, signal } = request
  const folder = secretsFolder(paths)
  const { installed } = readSecret(join(folder, clientFile), gmailClient, rules)
  const token = readSecret(join(folder, tokenFile), gmailToken, rules)
  if (token.client_id !== installed.client_id)
    throw new Problem(
      'connector_secret_invalid',
      'The token in gmail_oauth.json was given to another client than gmail_client.json names. No request was sent.',
    )
  const access = await refresh({ settings, client: installed, token, signal })
  // Without the field the answer means the scopes that were granted before (RFC 6749 5.1).
  if (!(access.scope?.split(' ') ?? token.scopes).includes(settings.scope))
    throw scopeMissing(settings)
  const url = new URL('/gmail/v1/users/me/profile', settings.api_url)
  const answer = await requestPeer(url, {
    signal,
    timeoutMs: settings.timeout_seconds * 1000,
    headers: { authorization: `Bearer ${access.token}`, accept: 'application/json' },
  })
  const { emailAddress } = await requireProfile(answer, url.host, settings)
  const endpoint = new URL(settings.token_url).host
  return {
    detail: `The token was refreshed at ${endpoint}, is valid for ${settings.scope}, and ${url.host} sent the profile.`,
    account: emailAddress,
    ...(token.expires_at === undefined ? {} : { expiresAt: new Date(token.expires_at) }),
  }
}

/** The part of a profile of Gmail by which it is recognised. */
const profile = z.looseObject({ emailAddress: z.email().max(320) })

const scopeMissing = ({ scope }: GmailSettings): Problem =>
  new Problem('connector_scope_missing', `The token of Gmail is not valid for ${scope}.`)

/** @throws {Problem} when the answer is not a profile */
async function requireProfile(
  answer: Response,
  host: string,
  settings: GmailSettings,
): Promise<z.output<typeof profile>> {
  const { status } = answer
  if (status === 403) throw scopeMissing(settings)
  if (status === 401)
    throw new Problem(
      'connector_refused',
      `${host} refused the token that was refreshed just before (401).`,
    )
  if (status >= 500 || status === 429)
    throw new Problem(
      'connector_unreachable',
      `${host} answered ${status}. The token itself was refreshed.`,
    )
  const parsed = profile.safeParse(status === 200 ? jsonOf(await answer.text()) : undefined)
  if (!parsed.success)
    throw new Problem(
      'connector_answer_unexpected',
      `${host} answered ${status}, and not with a profile.`,
    )
  return parsed.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not a profile; the text is not repeated
  }
}

/** The library sends a grant as a form (RFC 6749 4.1.3). */
function formText(body: Parameters<CustomFetch>[1]['body']): string {
  if (!(body instanceof URLSearchParams)) throw new TypeError('The body of a grant is not a form.')
  return body.toString()
}

interface Access {
  readonly token: string
  readonly scope: string | undefined
}

interface Refresh {
  readonly settings: GmailSettings
  readonly client: { readonly client_id: string; readonly client_secret: string }
  readonly token: { readonly refresh_token: string }
  readonly signal: AbortSignal
}

async function refresh({
  settings: { token_url, timeout_seconds },
  client,
  token: { refresh_token },
  signal,
}: Refresh): Promise<Access> {
  const { host, origin, protocol } = new URL(token_url)
  const config = new Configuration(
    { issuer: origin, token_endpoint: token_url },
    client.client_id,
    undefined,
    ClientSecretPost(client.client_secret),
  )
  config.timeout = timeout_seconds
  const fetchBounded: CustomFetch = (url, { headers, body }) =>
    requestPeer(url, {
      method: 'POST',
      headers,
      body: formText(body),
      signal,
      timeoutMs: timeout_seconds * 1000,
    })
  config[customFetch] = fetchBounded
  // The settings allow plain HTTP to this machine only.
  if (protocol === 'http:') allowInsecureRequests(config)
  try {
    const {
      access_token,
      refresh_token: renewed,
      scope,
    } = await refreshTokenGrant(config, refresh_token)
    knowSecrets([access_token, ...(renewed === undefined ? [] : [renewed])])
    return { token: access_token, scope }
  } catch (error) {
    signal.throwIfAborted()
    throw problemIn(error) ?? refusal(host, error)
  }
}

/** The problem that one of our requests threw; the library wraps it. */
function problemIn(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  return error instanceof Error ? problemIn(error.cause) : null
}

/** Codes of RFC 6749 5.2. Nothing else that a token endpoint sends may appear in a message. */
const codes = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'access_denied',
  'deleted_client',
  'org_internal',
])

function refusal(host: string, error: unknown): Problem {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
    const code = codes.has(error.error) ? error.error : 'an unknown code'
    if (error.error === 'invalid_grant')
      return new Problem(
        'connector_expired',
        `${host} no longer accepts the refresh token (invalid_grant): it was revoked or has expired.`,
        { cause: error },
      )
    if (error.error === 'invalid_scope')
      return new Problem(
        'connector_scope_missing',
        `${host} no longer grants the scopes of the token (invalid_scope).`,
        { cause: error },
      )
    return new Problem('connector_refused', `${host} refused the client or its token (${code}).`, {
      cause: error,
    })
  }
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
