// The plain reason of a request that got no answer.
import { codeOf, codeWithin } from './system-error.ts'

/**
 * @param error what `fetch`, a socket or a client library threw
 * @returns a short clause: "nothing listens at its address"; for an unknown error the code of its cause, or a message
 */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'it did not answer in time'
  const known = reasons[codeWithin(error) ?? '']
  if (known !== undefined) return known
  const { cause } = error
  return codeOf(cause) ?? (cause instanceof Error ? cause.message : error.message)
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ENOTFOUND: 'its name is not known on this network',
  EAI_AGAIN: 'names cannot be resolved now',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'the network is down',
  ECONNRESET: 'it closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_SOCKET: 'it closed the connection',
}
