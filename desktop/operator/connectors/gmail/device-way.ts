import { genericGrantRequest, type Configuration, type TokenEndpointResponse } from 'openid-client'
import { z } from 'zod'
import { gmailScope } from '#shared/connectors/gmail'
import { Problem } from '#shared/errors'
import { isLoopbackHostname } from '#shared/net/hostnames'
import { knowSecrets } from '#ops/base/redact/redaction'
import {
  grantProblem,
  oauthErrorOf,
  refuseOverload,
  repeatable,
  requestPeer,
} from '#ops/features/connectors/index'
import type { Attempt } from '../common/attempt.ts'
import type { Secret, WayOptions } from '../common/way.ts'
import { acceptToken, requestMs } from './accept-token.ts'
import type { InstalledClient } from './client-file.ts'
import { clientStep, keepForNextTime, oauthConfig, wantedAccount } from './oauth-steps.ts'
import { pollForToken, systemClock, type Clock } from './poll-for-token.ts'

/**
 * Gets a token by a code that the person enters on any device (RFC 8628).
 * @throws {Problem} `connector_secret_invalid` for the client file, `connector_scope_missing` when the service allows
 *   no Gmail scope there, and the classes of `pollForToken`, `grantProblem` and `acceptToken`
 */
export async function obtainByDeviceCode(
  attempt: Attempt,
  options: WayOptions,
  clock: Clock = systemClock,
): Promise<readonly Secret[]> {
  const { signal } = attempt
  const { client, addresses } = await clientStep(attempt, options)
  const config = oauthConfig({ client, addresses, signal })
  const { host } = new URL(addresses.token)
  const answer = await attempt.step('code', async () => {
    const code = await requestCode(addresses.device, client, signal)
    attempt.ask({
      waitingFor: 'Open the address on any device, enter the code, and allow access.',
      limitMs: code.expires_in * 1000,
      openUrl: code.verification_url,
      userCode: code.user_code,
    })
    const poll = {
      intervalSeconds: code.interval ?? null,
      expiresInSeconds: code.expires_in,
      errorOf: oauthErrorOf,
      request: () => requestToken(config, code.device_code, host),
      signal,
    }
    const value = await pollForToken(poll, clock)
    return { detail: null, value }
  })
  const accepted = await attempt.step('exchange', async () => ({
    detail: null,
    value: await acceptToken(answer, { client, account: wantedAccount(options), signal }),
  }))
  keepForNextTime(options, accepted.account)
  return accepted.secrets
}

/** One request of the token. Its `error` stays readable; a lost connection is a problem with its class. */
async function requestToken(
  config: Configuration,
  device_code: string,
  host: string,
): Promise<TokenEndpointResponse> {
  try {
    return await genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:device_code', {
      device_code,
    })
  } catch (error) {
    const code = oauthErrorOf(error)
    if (code !== null && awaited.has(code)) throw error
    if (code === 'invalid_grant')
      throw new Problem(
        'connector_refused',
        `${host} did not accept the code (invalid_grant). The secret on the host is unchanged.`,
        { cause: error },
      )
    throw grantProblem(host, error)
  }
}
/** Errors of RFC 8628 3.5 that `pollForToken` decides on. */
const awaited = new Set(['authorization_pending', 'slow_down', 'access_denied', 'expired_token'])

/** Where the person enters the code. */
const page = z.url().refine((text) => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHostname(hostname))
})
const text = z.string().regex(/^[\x21-\x7e]+$/)
/** The answer of RFC 8628 3.2. Google names the address `verification_url`. */
const deviceCode = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && 'verification_uri' in value
      ? { verification_url: value.verification_uri, ...value }
      : value,
  z.object({
    device_code: text.max(2048),
    user_code: z.string().regex(/^[\x20-\x7e]{1,40}$/),
    verification_url: page,
    expires_in: z.number().positive().max(86_400),
    interval: z.number().positive().max(3600).optional(),
  }),
)
const refusal = z.object({ error: z.string().max(100) })

async function requestCode(
  address: string,
  { client_id, client_secret }: InstalledClient,
  signal: AbortSignal,
): Promise<z.output<typeof deviceCode>> {
  const { host } = new URL(address)
  const answer = refuseOverload(
    host,
    await requestPeer(address, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      },
      body: new URLSearchParams({ client_id, client_secret, scope: gmailScope }).toString(),
      signal,
      timeoutMs: requestMs,
    }),
  )
  const content = jsonOf(await answer.text())
  const code = deviceCode.safeParse(answer.status === 200 ? content : undefined)
  if (code.success) {
    knowSecrets([code.data.device_code])
    return code.data
  }
  const refused = refusal.safeParse(content)
  if (refused.success) throw refusedCode(host, refused.data.error)
  throw new Problem(
    'connector_answer_unexpected',
    `${host} answered ${answer.status}, and not with a code. The secret on the host is unchanged.`,
  )
}

function refusedCode(host: string, error: string): Problem {
  if (error === 'invalid_scope')
    return new Problem(
      'connector_scope_missing',
      `${host} allows no Gmail scope with a device code (invalid_scope): connect by the way "Desktop". ` +
        'The secret on the host is unchanged.',
    )
  if (error === 'invalid_client' || error === 'unauthorized_client')
    return new Problem(
      'connector_refused',
      `${host} refused the client (${error}): a device code takes a client of the type ` +
        '"TVs and Limited Input devices". The secret on the host is unchanged.',
    )
  return new Problem(
    'connector_refused',
    `${host} gave no code (${repeatable(error)}). The secret on the host is unchanged.`,
  )
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined // not a code; the text is not repeated
  }
}
