/** hostd of this machine: its address, and the token of the caller. */
import type { HostdAddress } from '#shared/hostd-client/address'
import { envValue, wholeEnvironment, type Environment } from '#ops/base/env'
import { readAdminToken } from '#ops/core/config/admin-token'
import { hostdUrl, hostPaths } from '#ops/base/paths/paths'

export interface HostAddress {
  readonly url: string
  /** Called for each request, so that a rotated token counts at once. @throws {Problem} `token_not_configured` */
  readonly token: () => string
}

/** hostd of this machine, with the token of the environment (people) or of the token file (the host itself). */
export function localHost(env: Environment = wholeEnvironment()): HostAddress {
  return {
    url: hostdUrl(env),
    token: () => envValue('OPENCLAW_ADMIN_TOKEN', env) ?? readAdminToken(hostPaths(env).tokenFile),
  }
}

/** The address as the client takes it. @param token null: the request carries none */
export const addressOf = (url: string, token: string | null): HostdAddress => ({
  base: url.replace(/\/$/, ''),
  token,
  caller: {
    host: 'hostd',
    sides: 'hostd and its caller',
    unreachable: (reason) => `hostd does not answer at ${url} (${reason}).`,
    redirectAdvice: 'Set OPENCLAW_HOSTD_URL to the address of hostd itself.',
    behindProxy: false,
  },
})
