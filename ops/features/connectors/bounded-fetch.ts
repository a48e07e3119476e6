import { Problem, type ErrorClass } from '#shared/errors'
import { fetchReason } from '#ops/base/http/health'

/** Largest answer that is read, in bytes. */
const maxAnswerBytes = 2 * 1024 * 1024

/** What OpenSSL and Node call a peer that speaks no TLS, or whose certificate is not believed. */
const tlsFault =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|EPROTO$)/

/** Answers without a body (Fetch standard: null body status). */
const withoutBody = new Set([101, 103, 204, 205, 304])

const codeOf = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause)
}

/** @returns why a connection to `peer` came to nothing; a certificate that is not believed is said apart from silence */
export function connectionProblem(peer: string, error: unknown): Problem {
  const code = codeOf(error)
  const insecure = code !== null && tlsFault.test(code)
  const errorClass: ErrorClass = insecure ? 'connector_insecure' : 'connector_unreachable'
  return new Problem(
    errorClass,
    insecure
      ? `${peer} does not speak TLS with a certificate that is believed here (${code}). No secret was sent.`
      : `${peer} cannot be reached: ${fetchReason(error)}.`,
    { cause: error },
  )
}

/**
 * One request whose answer is bounded in size. Redirects are never followed: a secret goes where it was meant to.
 * @returns the answer, its body read
 * @throws {Problem} `connector_unreachable`, `connector_insecure`, `connector_answer_unexpected` when it is too large; when `signal` fires, its reason
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
