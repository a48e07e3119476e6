import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  randomPKCECodeVerifier,
  randomState,
  type Configuration,
} from 'openid-client'
import { gmailScope } from '#shared/connectors/gmail'
import { Problem } from '#shared/errors'
import { knowSecrets } from '#ops/base/redact/redaction'
import { grantProblem, oauthErrorOf, repeatable } from '#ops/features/connectors/index'
import type { Attempt } from '../common/attempt.ts'
import type { Secret, WayOptions } from '../common/way.ts'
import { acceptToken } from './accept-token.ts'
import { CallbackServer } from './callback-server.ts'
import { clientStep, keepForNextTime, oauthConfig, wantedAccount } from './oauth-steps.ts'

/** Time that the person has to allow access, milliseconds: a password, a second factor, a warning of Google. */
const allowMs = 5 * 60_000

/**
 * Gets a token by the browser of this system (RFC 8252): loopback redirect, PKCE S256, state.
 * @throws {Problem} `connector_secret_invalid` for the client file, `step_timeout`, `connector_denied`, and the
 *   classes of `grantProblem` and `acceptToken`
 */
export async function obtainByBrowser(
  attempt: Attempt,
  options: WayOptions,
): Promise<readonly Secret[]> {
  const { client, addresses } = await clientStep(attempt, options)
  const account = wantedAccount(options)
  const config = oauthConfig({ client, addresses, signal: attempt.signal })
  const checks = { expectedState: randomState(), pkceCodeVerifier: randomPKCECodeVerifier() }
  const server = await CallbackServer.open(checks.expectedState)
  try {
    const url = buildAuthorizationUrl(config, {
      redirect_uri: server.redirectUri,
      scope: gmailScope,
      state: checks.expectedState,
      code_challenge: await calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      // Google gives a refresh token only with these two.
      access_type: 'offline',
      prompt: 'consent',
      ...(account === null ? {} : { login_hint: account }),
    })
    const callback = await allowStep({ attempt, options, server, url })
    const accepted = await attempt.step('exchange', async () => {
      const answer = await exchange(config, callback, checks)
      const value = await acceptToken(answer, { client, account, signal: attempt.signal })
      return { detail: 'PKCE S256', value }
    })
    keepForNextTime(options, accepted.account)
    server.end('granted')
    return accepted.secrets
  } catch (error) {
    server.end('refused')
    throw error
  }
}

interface Allow {
  readonly attempt: Attempt
  readonly options: WayOptions
  readonly server: CallbackServer
  readonly url: URL
}

/** The step `allow`. @returns the address that the browser came back with */
const allowStep = ({ attempt, options, server, url }: Allow): Promise<URL> =>
  attempt.step('allow', async () => {
    const ask = (waitingFor: string): void =>
      attempt.ask({ waitingFor, limitMs: allowMs, openUrl: url.href })
    ask('Allow access in your browser. HQ opened the page of Google there.')
    let waiting = true
    options.openBrowser(url.href).catch((error: unknown) => {
      options.log(`The browser of this system could not be opened: ${String(error)}`)
      if (!waiting) return
      ask('HQ could not open your browser. Open the address of Google yourself, and allow access.')
    })
    const callback = await server.callback(allowMs, attempt.signal)
    waiting = false
    const code = callback.searchParams.get('code')
    if (code !== null) knowSecrets([code])
    const error = callback.searchParams.get('error')
    if (error !== null) throw notAllowed(error)
    return { detail: null, value: callback }
  })

const notAllowed = (error: string): Problem =>
  new Problem(
    'connector_denied',
    error === 'access_denied'
      ? 'Access was refused in the browser (access_denied). The secret on the host is unchanged.'
      : `Google did not allow access (${repeatable(error)}). The secret on the host is unchanged.`,
  )

async function exchange(
  config: Configuration,
  callback: URL,
  checks: { readonly expectedState: string; readonly pkceCodeVerifier: string },
): ReturnType<typeof authorizationCodeGrant> {
  try {
    return await authorizationCodeGrant(config, callback, checks)
  } catch (error) {
    const { host } = new URL(config.serverMetadata().token_endpoint ?? '')
    if (oauthErrorOf(error) === 'invalid_grant')
      throw new Problem(
        'connector_refused',
        `${host} did not accept the code (invalid_grant): it was used before, or is too old. ` +
          'The secret on the host is unchanged.',
        { cause: error },
      )
    throw grantProblem(host, error)
  }
}
