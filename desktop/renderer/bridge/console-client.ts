/** hostd behind the console of the same origin. */
import { HostdClient } from '#shared/hostd-client/client'

/** Longest wait for one answer, milliseconds. */
const answerMs = 30_000

/**
 * @param token typed once by the operator; it lives in this closure and nowhere else
 * @param onForbidden called when the host does not accept the token, or no longer does
 */
export const consoleClient = (token: string, onForbidden: () => void): HostdClient =>
  new HostdClient(
    () => ({
      base: '',
      token,
      onForbidden,
      caller: {
        host: 'The host',
        sides: 'This page and hostd',
        unreachable: () => 'The console does not answer. What is shown here stays as it was.',
        redirectAdvice: 'Open the console at the address that answers.',
        behindProxy: true,
      },
    }),
    { limitMs: answerMs },
  )
