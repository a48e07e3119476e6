// One request to the peer of a connector, and the problem of one that failed.
import { Problem, type ErrorClass } from '#shared/errors'
import { networkReason } from '#shared/network-reason'
import { codeWithin } from '#shared/system-error'
import {
  AnswerTooLarge,
  httpRequest,
  type HttpAnswer,
  type HttpRequest,
} from '#ops/base/http/request'

/** Largest answer that is read, in bytes. */
const maxAnswerBytes = 2 * 1024 * 1024

/** Error codes of OpenSSL and Node for a peer without TLS, or with a certificate that is not trusted. */
const tlsFault =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|EPROTO$)/

/** The problem of a failed connection to `peer`. A certificate that is not trusted has a separate class. */
export function connectionProblem(peer: string, error: unknown): Problem {
  const code = codeWithin(error)
  const insecure = code !== null && tlsFault.test(code)
  const errorClass: ErrorClass = insecure ? 'connector_insecure' : 'connector_unreachable'
  return new Problem(
    errorClass,
    insecure
      ? `${peer} does not speak TLS with a certificate that this host trusts (${code}). No secret was sent.`
      : `${peer} cannot be reached: ${networkReason(error)}.`,
    { cause: error },
  )
}

/**
 * Sends one request and reads a bounded answer. It never follows a redirect, so that a secret reaches only its peer.
 * @returns the answer, with its body read; with `statusOnly` the status counts, and no body is read
 * @throws {Problem} `connector_unreachable`, `connector_insecure`; `connector_answer_unexpected` when it is too large;
 *   when `signal` fires, its reason
 */
export async function requestPeer(
  url: string | URL,
  request: Pick<HttpRequest, 'method' | 'body' | 'ca' | 'statusOnly'> & {
    readonly headers: Readonly<Record<string, string>>
    readonly signal: AbortSignal
    readonly timeoutMs: number
  },
): Promise<Response> {
  const peer = new URL(url).host
  try {
    return responseOf(await httpRequest(url, { ...request, maxBytes: maxAnswerBytes }))
  } catch (error) {
    request.signal.throwIfAborted()
    if (error instanceof AnswerTooLarge)
      throw new Problem(
        'connector_answer_unexpected',
        `${peer} answered with more than ${maxAnswerBytes} bytes; the rest was not read.`,
        { cause: error },
      )
    throw connectionProblem(peer, error)
  }
}

/** Answers without a body (Fetch standard: null body status). */
const withoutBody = new Set([101, 103, 204, 205, 304])

/** The answer as `fetch` gives it, which the library for OAuth expects. */
const responseOf = ({ status, headers, text }: HttpAnswer): Response =>
  new Response(withoutBody.has(status) ? null : text, {
    status,
    headers: Object.entries(headers).flatMap(([name, value = []]) =>
      [value].flat().map((each): [string, string] => [name, each]),
    ),
  })
