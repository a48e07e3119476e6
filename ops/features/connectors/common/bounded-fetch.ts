import { Problem, type ErrorClass } from '#shared/errors'
import { fetchReason } from '#ops/base/http/health'

/** Largest answer that is read, in bytes. */
const maxAnswerBytes = 2 * 1024 * 1024

/** Error codes of OpenSSL and Node for a peer without TLS, or with a certificate that is not trusted. */
const tlsFault =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|EPROTO$)/

/** Answers without a body (Fetch standard: null body status). */
const withoutBody = new Set([101, 103, 204, 205, 304])

const codeOf = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause)
}

/** The problem of a failed connection to `peer`. A certificate that is not trusted has a separate class. */
export function connectionProblem(peer: string, error: unknown): Problem {
  const code = codeOf(error)
  const insecure = code !== null && tlsFault.test(code)
  const errorClass: ErrorClass = insecure ? 'connector_insecure' : 'connector_unreachable'
  return new Problem(
    errorClass,
    insecure
      ? `${peer} does not speak TLS with a certificate that this host trusts (${code}). No secret was sent.`
      : `${peer} cannot be reached: ${fetchReason(error)}.`,
    { cause: error },
  )
}

/**
 * Sends one request and reads a bounded answer. It never follows a redirect, so that a secret reaches only its peer.
 * @returns the answer, with its body read
 * @throws {Problem} `connector_unreachable`, `connector_insecure`; `connector_answer_unexpected` when it is too large;
 *   when `signal` fires, its reason
 */
export async function boundedFetch(
  url: string | URL,
  {
    method,
    headers,
    body,
    signal,
  }: Pick<RequestInit, 'method' | 'headers' | 'body'> & { signal: AbortSignal },
): Promise<Response> {
  const peer = new URL(url).host
  const chunks: Uint8Array[] = []
  let size = 0
  let answer: Response
  try {
    answer = await fetch(url, {
      redirect: 'manual',
      signal,
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined || body === null ? {} : { body }),
    })
    for await (const part of answer.body ?? []) {
      size += part.length
      if (size > maxAnswerBytes) break
      chunks.push(part)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw connectionProblem(peer, error)
  }
  if (size > maxAnswerBytes)
    throw new Problem(
      'connector_answer_unexpected',
      `${peer} answered with more than ${maxAnswerBytes} bytes; the rest was not read.`,
    )
  return new Response(withoutBody.has(answer.status) ? null : Buffer.concat(chunks), {
    status: answer.status,
    headers: answer.headers,
  })
}
