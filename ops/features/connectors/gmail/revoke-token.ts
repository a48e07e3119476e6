import { tokenRevocation } from 'openid-client'
import { Problem } from '#shared/errors'
import type { CheckRequest } from '../common/connector.ts'
import { readSecret } from '../common/read-secret.ts'
import { grantProblem, oauthErrorOf, oauthPeer, whileOverloaded } from './oauth-peer.ts'
import { clientFile, gmailClient, gmailToken, tokenFile } from './secrets.ts'

/**
 * Has Google withdraw the refresh token and all that was given for it (RFC 7009), also when mail is read over IMAP by
 * now. An app password cannot be withdrawn by a program.
 * @returns what was done; null: there is no token
 * @throws {Problem} the classes of `readSecret` and `grantProblem`
 */
export async function revokeGmailToken({
  settings: { token_url, revoke_url, timeout_seconds },
  locate,
  rules,
  signal,
}: CheckRequest<'gmail'>): Promise<string | null> {
  const secrets = secretsOf(() => ({
    client: readSecret(locate(clientFile), gmailClient, rules).installed,
    token: readSecret(locate(tokenFile), gmailToken, rules).refresh_token,
  }))
  if (secrets === null) return null
  const { client, token } = secrets
  const { host, origin } = new URL(revoke_url)
  const server = { issuer: origin, token_endpoint: token_url, revocation_endpoint: revoke_url }
  const peer = oauthPeer({ server, client, signal, timeoutMs: timeout_seconds * 1000 })
  try {
    const hint = { token_type_hint: 'refresh_token' }
    await whileOverloaded(() => tokenRevocation(peer, token, hint), signal)
  } catch (error) {
    signal.throwIfAborted()
    // Google answers so for a token that has ended before.
    if (oauthErrorOf(error) !== 'invalid_token') throw grantProblem(host, error)
  }
  return `${host} has withdrawn the token.`
}

/** null: there is none. */
function secretsOf<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'CONNECTOR_NOT_CONFIGURED') return null
    throw error
  }
}
