import { z } from 'zod'
import { Problem } from '#shared/errors'
import { requestPeer } from '../common/request-peer.ts'
import { refuseOverload } from './oauth-peer.ts'

interface ProfileRequest {
  /** Origin of the API. */
  readonly apiUrl: string
  readonly accessToken: string
  /** Scope that the token must have, for a message. */
  readonly scope: string
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** The part of a profile of Gmail by which it is recognised. */
const profile = z.looseObject({ emailAddress: z.email().max(320) })

export const scopeMissing = (scope: string): Problem =>
  new Problem('connector_scope_missing', `The token of Gmail is not valid for ${scope}.`)

/**
 * Reads the profile of the mailbox.
 * @returns its address
 * @throws {Problem} the classes of `requestPeer`, `connector_refused`, `connector_scope_missing`,
 *   `connector_answer_unexpected`
 */
export async function readProfile({
  apiUrl,
  accessToken,
  scope,
  signal,
  timeoutMs,
}: ProfileRequest): Promise<string> {
  const url = new URL('/gmail/v1/users/me/profile', apiUrl)
  const { host } = url
  const answer = await requestPeer(url, {
    signal,
    timeoutMs,
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
  })
  const { status } = answer
  if (status === 403) throw scopeMissing(scope)
  if (status === 401)
    throw new Problem(
      'connector_refused',
      `${host} refused the token that was received just before (401).`,
    )
  refuseOverload(host, answer)
  const parsed = profile.safeParse(status === 200 ? jsonOf(await answer.text()) : undefined)
  if (!parsed.success)
    throw new Problem(
      'connector_answer_unexpected',
      `${host} answered ${status}, and not with a profile.`,
    )
  return parsed.data.emailAddress
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not a profile; the text is not repeated
  }
}
