// One bounded HTTP request: every request that the host's side sends goes through here, those to hostd excepted.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { hasCode } from '#shared/system-error'

export interface HttpRequest {
  readonly method?: 'GET' | 'POST'
  /** A `host` here replaces the host of the URL in the request, not in the connection. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Unix socket to connect to; the host of the URL is then only the Host header. */
  readonly socketPath?: string
  /** Certificates (PEM) that are trusted instead of those of Node; null: those of Node. */
  readonly ca?: string | null
  readonly signal?: AbortSignal | undefined
  /** Limit for the whole answer, in milliseconds. */
  readonly timeoutMs?: number
  /** Limit for the body of the answer, in bytes. */
  readonly maxBytes?: number
  /** Ends the connection once the status is there: the text of the answer is then empty. */
  readonly statusOnly?: boolean
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The answer has more bytes than the caller reads. */
export class AnswerTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the answer is larger than ${maxBytes} bytes`)
  }
}

/** Limit for one answer, in milliseconds, where the caller names none. */
export const answerMs = 5_000
const maxAnswerBytes = 1024 * 1024

/**
 * Sends one request over a connection of its own: a kept connection may lead to what was just replaced. Redirects are
 * not followed: the answer of another address says nothing about this one, and may not get this one's secrets.
 * @throws {AnswerTooLarge}; the reason of `signal`; an error named TimeoutError; or the error of the system
 *   (`code` ENOENT, ECONNREFUSED …), whose plain text `networkReason` has
 */
export async function httpRequest(
  url: string | URL,
  {
    method = 'GET',
    headers = {},
    body,
    socketPath,
    ca = null,
    signal,
    timeoutMs = answerMs,
    maxBytes = maxAnswerBytes,
    statusOnly = false,
  }: HttpRequest = {},
): Promise<HttpAnswer> {
  // Loaded with the first request: loading it takes longer than many commands run.
  const { Client } = await import('undici')
  signal?.throwIfAborted()
  const { origin, pathname, search } = new URL(url)
  const client = new Client(origin, {
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(ca === null ? {} : { connect: { ca } }),
    // The limit below ends everything but a connection that is being made.
    connectTimeout: timeoutMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxBytes,
  })
  const limit = AbortSignal.timeout(timeoutMs)
  const end = AbortSignal.any(signal ? [limit, signal] : [limit])
  // A signal that is given to a request of undici does not end one that still waits for its connection.
  const stop = (): void => void client.destroy(toError(end.reason))
  end.addEventListener('abort', stop)
  try {
    const answer = await client.request({
      method,
      path: `${pathname}${search}`,
      headers: { accept: '*/*', 'user-agent': 'openclaw-hq', ...headers },
      ...(body === undefined ? {} : { body }),
      reset: true,
    })
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: statusOnly ? unread(answer.body) : await answer.body.text(),
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (limit.aborted || hasCode(error, 'UND_ERR_CONNECT_TIMEOUT'))
      throw new DOMException('it did not answer in time', 'TimeoutError')
    if (hasCode(error, 'UND_ERR_RES_EXCEEDED_MAX_SIZE')) throw new AnswerTooLarge(maxBytes)
    throw error
  } finally {
    end.removeEventListener('abort', stop)
    void client.destroy()
  }
}

/** Ends the body of an answer. @returns nothing of it */
function unread(body: Readable): string {
  body.on('error', () => undefined) // it says that the body was ended
  body.destroy()
  return ''
}

const toError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason))
