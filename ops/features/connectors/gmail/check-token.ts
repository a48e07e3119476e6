import { refreshTokenGrant } from 'openid-client'
import { Problem } from '#shared/errors'
import { knowSecrets } from '#ops/base/redact/redaction'
import type { CheckRequest, Found } from '../common/connector.ts'
import { readSecret, SecretProblem } from '../common/read-secret.ts'
import {
  endOfToken,
  grantProblem,
  isAboutClient,
  oauthPeer,
  whileOverloaded,
} from './oauth-peer.ts'
import { readProfile, scopeMissing } from './profile.ts'
import { clientFile, gmailClient, gmailToken, tokenFile } from './secrets.ts'

/**
 * Refreshes the token at the token endpoint and reads the profile of Gmail with the result.
 * @throws {Problem} the classes of `gmailAccess` and `readProfile`
 */
export async function checkGmailToken(request: CheckRequest<'gmail'>): Promise<Found> {
  const { scope, token_url, api_url, timeout_seconds } = request.settings
  const { accessToken, expiresAt } = await gmailAccess(request)
  const account = await aboutToken(request, () =>
    readProfile({
      apiUrl: api_url,
      accessToken,
      scope,
      signal: request.signal,
      timeoutMs: timeout_seconds * 1000,
    }),
  )
  return {
    detail:
      `The token was refreshed at ${new URL(token_url).host}, is valid for ${scope}, ` +
      `and ${new URL(api_url).host} sent the profile.`,
    account,
    ...(expiresAt === null ? {} : { expiresAt }),
  }
}

/** Access to the mailbox for a while. */
interface GmailAccess {
  readonly accessToken: string
  /** When the token on the host ends; null: it does not say. */
  readonly expiresAt: Date | null
}

/**
 * Refreshes the token on the host.
 * @returns an access token that is valid for the configured scope
 * @throws {Problem} the classes of `readSecret` and `grantProblem`, `connector_secret_invalid`,
 *   `connector_scope_missing`
 */
export async function gmailAccess(request: CheckRequest<'gmail'>): Promise<GmailAccess> {
  const { settings, locate, rules, signal, exchange } = request
  const { scope, token_url, timeout_seconds } = settings
  const { installed } = readSecret(locate(clientFile), gmailClient, rules)
  const timeoutMs = timeout_seconds * 1000
  const { access, used } = await exchange(tokenFile, gmailToken, async (token) => {
    if (token.client_id !== installed.client_id)
      throw SecretProblem.of(otherClient(), [locate(clientFile), locate(tokenFile)])
    try {
      const access = await refresh({ token_url, client: installed, token, signal, timeoutMs })
      const used = { ...token, ...access.renewed }
      return { result: { access, used }, renewed: access.renewed === null ? null : used }
    } catch (error) {
      signal.throwIfAborted()
      const problem = grantProblem(new URL(token_url).host, error)
      throw SecretProblem.of(problem, [locate(isAboutClient(error) ? clientFile : tokenFile)])
    }
  })
  // Without the field the answer means the scopes that were granted before (RFC 6749 5.1).
  if (!(access.scope?.split(' ') ?? used.scopes).includes(scope))
    throw SecretProblem.of(scopeMissing(scope), [locate(tokenFile)])
  return {
    accessToken: access.token,
    expiresAt: used.expires_at === undefined ? null : new Date(used.expires_at),
  }
}

const otherClient = (): Problem =>
  new Problem(
    'connector_secret_invalid',
    'The token in gmail_oauth.json was given to another client than gmail_client.json names. No request was sent.',
  )

/** What fails in `work` is a verdict about the token. */
async function aboutToken<T>(
  { locate }: CheckRequest<'gmail'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw SecretProblem.of(error, [locate(tokenFile)])
  }
}

interface Access {
  readonly token: string
  readonly scope: string | undefined
  /** What the service gave in place of the refresh token; null: the old one goes on. */
  readonly renewed: {
    readonly refresh_token: string
    readonly issued_at: string
    readonly expires_at: string | undefined
  } | null
}

interface Refresh {
  readonly token_url: string
  readonly client: { readonly client_id: string; readonly client_secret: string }
  readonly token: { readonly refresh_token: string }
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

async function refresh({
  token_url,
  client,
  token: { refresh_token },
  signal,
  timeoutMs,
}: Refresh): Promise<Access> {
  const { origin } = new URL(token_url)
  const server = { issuer: origin, token_endpoint: token_url }
  const peer = oauthPeer({ server, client, signal, timeoutMs })
  const answer = await whileOverloaded(() => refreshTokenGrant(peer, refresh_token), signal)
  const { access_token, refresh_token: next, scope } = answer
  knowSecrets([access_token, ...(next === undefined ? [] : [next])])
  const renewed =
    next === undefined || next === refresh_token
      ? null
      : {
          refresh_token: next,
          issued_at: new Date().toISOString(),
          expires_at: endOfToken(answer)?.toISOString(),
        }
  return { token: access_token, scope, renewed }
}
