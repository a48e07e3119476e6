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
import type { GmailSettings } from '#shared/config/connectors'
import { Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { knowSecrets } from '#ops/base/redact/redaction'
import { boundedFetch } from './bounded-fetch.ts'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { readSecret, type ReadRules } from './secret-files.ts'
import { gmailClient, gmailToken } from './secret-kinds.ts'

/** Of Gmail's profile, what shows that it is one. */
const profile = z.looseObject({ emailAddress: z.string().min(1) })

/** What our own requests threw, which the library wraps. */
const problemIn = (error: unknown): Problem | null =>
  error instanceof Problem ? error : error instanceof Error ? problemIn(error.cause) : null

/**
 * Is the token of Gmail good? It is refreshed at the token endpoint, and the profile is read with what that gave.
 *
 * @returns what was found, for a person
 * @throws {Problem} the classes of `readSecret` and `boundedFetch`, `connector_expired`, `connector_refused`,
 *   `connector_scope_missing`, `connector_answer_unexpected`
 */
export async function checkGmailToken(
  settings: GmailSettings,
  paths: Pick<HostPaths, 'etc'>,
  rules: ReadRules,
  signal: AbortSignal,
): Promise<string> {
  const { installed } = readSecret(
    join(connectorSecrets(paths), 'gmail_client.json'),
    gmailClient,
    rules,
  )
  const token = readSecret(join(connectorSecrets(paths), 'gmail_oauth.json'), gmailToken, rules)
  if (token.client_id !== installed.client_id)
    throw new Problem(
      'connector_secret_invalid',
      'The token in gmail_oauth.json was given to another client than the one in gmail_client.json. Nobody was asked.',
    )

  const access = await refresh(settings, installed, token, signal)
  const missing = (): Problem =>
    new Problem('connector_scope_missing', `The token of Gmail is not good for ${settings.scope}.`)
  // Without the field the answer means the scopes that were granted before (RFC 6749 5.1).
  if (!(access.scope?.split(' ') ?? token.scopes).includes(settings.scope)) throw missing()
  const url = new URL('/gmail/v1/users/me/profile', settings.api_url)
  const answer = await boundedFetch(url, {
    signal,
    headers: { authorization: `Bearer ${access.token}`, accept: 'application/json' },
  })
  if (answer.status === 403) throw missing()
  if (answer.status === 401)
    throw new Problem(
      'connector_refused',
      `${url.host} refused the token that it was given just before (401).`,
    )
  if (answer.status >= 500 || answer.status === 429)
    throw new Problem(
      'connector_unreachable',
      `${url.host} answered ${answer.status}. The token itself was refreshed.`,
    )
  if (answer.status !== 200 || !profile.safeParse(jsonOf(await answer.text())).success)
    throw new Problem(
      'connector_answer_unexpected',
      `${url.host} answered ${answer.status}, and not with a profile.`,
    )
  return `The token was refreshed at ${new URL(settings.token_url).host}, is good for ${settings.scope}, and ${url.host} gave the profile.`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // no profile; the text is not repeated
  }
}

interface Access {
  readonly token: string
  readonly scope: string | undefined
}

async function refresh(
  { token_url, timeout_seconds }: GmailSettings,
  client: { client_id: string; client_secret: string },
  { refresh_token }: { refresh_token: string },
  signal: AbortSignal,
): Promise<Access> {
  const { host, origin, protocol } = new URL(token_url)
  const config = new Configuration(
    { issuer: origin, token_endpoint: token_url },
    client.client_id,
    undefined,
    ClientSecretPost(client.client_secret),
  )
  config.timeout = timeout_seconds
  const fetchIt: CustomFetch = (url, { method, headers, body }) =>
    boundedFetch(url, { method, headers, body: body as RequestInit['body'], signal })
  config[customFetch] = fetchIt
  // The settings take plain HTTP for this machine itself only.
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

/** Codes of RFC 6749 5.2, and nothing else of what a token endpoint says, may stand in a message. */
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
        `${host} does not take the refresh token any more (invalid_grant): it was withdrawn, or has expired.`,
        { cause: error },
      )
    if (error.error === 'invalid_scope')
      return new Problem(
        'connector_scope_missing',
        `${host} does not give the scopes of the token any more (invalid_scope).`,
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
    `${host} did not answer as a token endpoint answers. Nothing is known of the token.`,
    { cause: error },
  )
}
