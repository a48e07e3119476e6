import { tokenRevocation, type Configuration } from 'openid-client'
import { Problem } from '#shared/errors'
import type { WithdrawRequest } from '../common/connector.ts'
import { readSecret } from '../common/read-secret.ts'
import { grantProblem, oauthErrorOf, oauthPeer, whileOverloaded } from './oauth-peer.ts'
import { clientFile, gmailClient, gmailToken, tokenFile } from './secrets.ts'

/**
 * Has Google withdraw every refresh token and all that was given for it (RFC 7009), also when mail is read over IMAP by
 * now. An app password cannot be withdrawn by a program.
 * @returns what was done; null: there is no token
 * @throws {Problem} the classes of `readSecret` and `grantProblem`: the first, once each token was tried
 */
export async function revokeGmailToken(request: WithdrawRequest<'gmail'>): Promise<string | null> {
  const { settings, places, rules, signal } = request
  const clients = readAll(places(clientFile), (path) => readSecret(path, gmailClient, rules))
  const tokens = readAll(places(tokenFile), (path) => readSecret(path, gmailToken, rules))
  if (tokens.read.length === 0 && tokens.problem === null) return null
  let { problem } = tokens
  const { host } = new URL(settings.revoke_url)
  for (const { client_id, refresh_token } of tokens.read) {
    // A token that waits for its proof may have been given to another client than the one in use.
    const of = clients.read.find(({ installed }) => installed.client_id === client_id)
    const client = (of ?? clients.read[0])?.installed
    if (client === undefined) {
      if (clients.problem === null) return null
      throw clients.problem
    }
    try {
      await withdraw(peerOf(settings, client, signal), { token: refresh_token, host, signal })
    } catch (error) {
      signal.throwIfAborted()
      problem ??= error
    }
  }
  if (problem !== null) throw problem
  return `${host} has withdrawn the ${tokens.read.length === 1 ? 'token' : 'tokens'}.`
}

interface ReadAll<T> {
  readonly read: readonly T[]
  /** Why one of them could not be read; null: all were. */
  readonly problem: unknown
}

function readAll<T>(paths: readonly string[], read: (path: string) => T): ReadAll<T> {
  const found: T[] = []
  let problem: unknown = null
  for (const path of paths)
    try {
      found.push(read(path))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (error.errorClass !== 'CONNECTOR_NOT_CONFIGURED') problem ??= error
    }
  return { read: found, problem }
}

function peerOf(
  { token_url, revoke_url, timeout_seconds }: WithdrawRequest<'gmail'>['settings'],
  client: { readonly client_id: string; readonly client_secret: string },
  signal: AbortSignal,
): Configuration {
  const { origin } = new URL(revoke_url)
  const server = { issuer: origin, token_endpoint: token_url, revocation_endpoint: revoke_url }
  return oauthPeer({ server, client, signal, timeoutMs: timeout_seconds * 1000 })
}

async function withdraw(
  peer: Configuration,
  {
    token,
    host,
    signal,
  }: { readonly token: string; readonly host: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const hint = { token_type_hint: 'refresh_token' }
    await whileOverloaded(() => tokenRevocation(peer, token, hint), signal)
  } catch (error) {
    signal.throwIfAborted()
    // Google answers so for a token that has ended before.
    if (oauthErrorOf(error) !== 'invalid_token') throw grantProblem(host, error)
  }
}
