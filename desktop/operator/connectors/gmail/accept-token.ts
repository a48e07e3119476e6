import type { TokenEndpointResponse } from 'openid-client'
import { gmailScope } from '#shared/connectors/gmail'
import { Problem } from '#shared/errors'
import { knowSecrets } from '#ops/base/redact/redaction'
import { endOfToken, gmailToken, readProfile } from '#ops/features/connectors/index'
import type { Secret } from '../common/way.ts'
import { addressesOf, type InstalledClient } from './client-file.ts'

/** Limit of one request to Google, milliseconds. */
export const requestMs = 20_000

interface Wanted {
  readonly client: InstalledClient
  /** Address of the mailbox; null: any. */
  readonly account: string | null
  readonly signal: AbortSignal
}

/** A token that the host may have. */
interface Accepted {
  readonly account: string
  readonly secrets: readonly Secret[]
}

const unchanged = 'Nothing was stored, and the secret on the host is unchanged.'

/**
 * Accepts what the token endpoint answered, if it is what was wanted.
 * @throws {Problem} `connector_scope_missing`, `connector_refused` without a refresh token,
 *   `connector_other_account`, `connector_answer_unexpected`, and the classes of `readProfile`
 */
export async function acceptToken(
  answer: TokenEndpointResponse,
  { client, account: wanted, signal }: Wanted,
): Promise<Accepted> {
  const { access_token, refresh_token, scope } = answer
  knowSecrets([access_token, ...(refresh_token === undefined ? [] : [refresh_token])])
  // Without the field the answer means the scopes that were requested (RFC 6749 5.1).
  const scopes = scope?.split(' ') ?? [gmailScope]
  if (!scopes.includes(gmailScope))
    throw new Problem(
      'connector_scope_missing',
      `The sign-in does not allow HQ to read mail (${gmailScope}). ` +
        `Leave that box checked when Google shows what HQ requests. ${unchanged}`,
    )
  if (refresh_token === undefined)
    throw new Problem(
      'connector_refused',
      'Google gave no refresh token, so that the host could read mail for an hour only. Remove the access ' +
        `of this app in the Google account, and connect again. ${unchanged}`,
    )
  const { api } = addressesOf(client)
  const account = await readProfile({
    apiUrl: api,
    accessToken: access_token,
    scope: gmailScope,
    signal,
    timeoutMs: requestMs,
  })
  requireAccount(account, wanted)
  const token = gmailToken.schema.safeParse({
    schema_version: 1,
    client_id: client.client_id,
    refresh_token,
    scopes,
    issued_at: new Date().toISOString(),
    expires_at: endOfToken(answer)?.toISOString(),
  })
  if (!token.success)
    throw new Problem(
      'connector_answer_unexpected',
      `Google gave a token of a form that HQ does not know. ${unchanged}`,
    )
  return {
    account,
    secrets: [
      { kind: 'client', bytes: bytesOf({ installed: client }) },
      { kind: 'oauth', bytes: bytesOf(token.data) },
    ],
  }
}

function requireAccount(account: string, wanted: string | null): void {
  if (wanted === null || wanted.toLowerCase() === account.toLowerCase()) return
  throw new Problem(
    'connector_other_account',
    `The sign-in is of ${account}; expected was ${wanted}. ` +
      `To connect another mailbox, enter its address in the form. ${unchanged}`,
  )
}

const bytesOf = (value: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(value))
