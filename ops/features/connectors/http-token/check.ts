import type { HttpTokenSettings } from '#shared/connectors/http-token'
import { Problem } from '#shared/errors'
import type { CheckRequest, Found } from '../common/connector.ts'
import { readSecret } from '../common/read-secret.ts'
import { requestPeer } from '../common/request-peer.ts'
import { httpTokenSecret, tokenFile } from './secret.ts'

/**
 * Checks whether the service still accepts the token: it requests one address with it and judges the status alone. An
 * address that answers the same to everybody proves nothing, so it is requested once more without the token.
 * @throws {Problem} the classes of `readSecret` and `requestPeer`; `connector_refused`, `connector_expired`,
 *   `connector_unreachable`, `connector_answer_unexpected` by the status
 */
export async function checkHttpToken({
  settings,
  locate,
  rules,
  signal,
}: CheckRequest<'http_token'>): Promise<Found> {
  const secret = readSecret(locate(tokenFile), httpTokenSecret, rules)
  const { access_token: token } = secret
  const url = addressOf(settings, secret.settings)
  const { header, scheme, expected_status, timeout_seconds } = settings
  const statusOf = async (headers: Readonly<Record<string, string>>): Promise<number> => {
    const timeoutMs = timeout_seconds * 1000
    return (await requestPeer(url, { headers, signal, timeoutMs, statusOnly: true })).status
  }
  const status = await statusOf({ [header]: scheme === '' ? token : `${scheme} ${token}` })
  const ends = endOfJwt(token)
  if (!expected_status.includes(status)) throw refusal({ url, status, ends, expected_status })
  const without = await statusOf({})
  if (isNoAnswer(without)) throw refusal({ url, status: without, ends, expected_status })
  if (expected_status.includes(without))
    throw new Problem(
      'connector_answer_unexpected',
      `${url.host} answers ${without} to this address also without the token. ` +
        'It is not known whether the token is valid.',
    )
  return {
    detail: `${url.host} accepted the token (${status}).`,
    ...(ends === null ? {} : { expiresAt: ends }),
  }
}

/** @throws {Problem} when the host names no address, or one of another origin than the token was connected for */
function addressOf({ url }: HttpTokenSettings, connected: { readonly url: string }): URL {
  if (url === null)
    throw new Problem(
      'CONNECTOR_NOT_CONFIGURED',
      'This host names no address for the token. No request was sent.',
    )
  const { origin } = new URL(connected.url)
  const address = new URL(url)
  if (address.origin === origin) return address
  throw new Problem(
    'connector_secret_invalid',
    `The token was connected for ${origin}, and host.json names ${address.origin}. No request was sent.`,
  )
}

/** The service says nothing about the token now. */
const isNoAnswer = (status: number): boolean => status === 429 || status >= 500

interface Answered {
  readonly url: URL
  readonly status: number
  /** When the token ends, as it says itself. */
  readonly ends: Date | null
  readonly expected_status: readonly number[]
}

function refusal({ url: { host }, status, ends, expected_status }: Answered): Problem {
  if (status === 401 || status === 403)
    return ends !== null && ends.getTime() <= Date.now()
      ? new Problem(
          'connector_expired',
          `${host} refused the token (${status}): it ended at ${ends.toISOString()}.`,
        )
      : new Problem('connector_refused', `${host} refused the token (${status}).`)
  if (isNoAnswer(status))
    return new Problem(
      'connector_unreachable',
      `${host} answered ${status}. It is not known whether the token is valid.`,
    )
  return new Problem(
    'connector_answer_unexpected',
    status >= 300 && status < 400
      ? `${host} leads to another address (${status}). HQ does not follow it: the token is sent to this one only.`
      : `${host} answered ${status}, and not ${expected_status.join(' or ')}.`,
  )
}

/** When a token that is a JWT ends (RFC 7519 4.1.4); null for any other, which does not say it. */
function endOfJwt(token: string): Date | null {
  const [, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined) return null
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const seconds =
      typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : 0
    return typeof seconds === 'number' && seconds > 0 && seconds < latestEnd
      ? new Date(seconds * 1000)
      : null
  } catch {
    return null // it only looks like one; the text is not repeated
  }
}

/** The year 9999, in Unix seconds: a later date has no ISO form of four digits. */
const latestEnd = 253_402_300_800
