// Limits of an HTTP server of HQ, and its answers to what is not a request.
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { Problem } from '#shared/errors'
import { codeOf } from '#shared/system-error'

/** Time in which the header of a request must be there, and longest silence of a connection, milliseconds. */
const headerMs = 10_000
/** Time in which a request with an ordinary body must be complete, milliseconds. */
export const bodyMs = 30_000
/** The same for the bundle of a ship: the largest one over a slow tailnet, milliseconds. */
export const uploadMs = 300_000
/** How often Node compares its connections with these limits, milliseconds. */
const checkMs = 500

/** Time for a peer to take a refusal, milliseconds. */
const lingerMs = 1000

/** Limits of a server; Node applies the two of a request from the moment that the connection is there. */
export const serverLimits = {
  headersTimeout: headerMs,
  keepAliveTimeout: headerMs,
  requestTimeout: uploadMs,
  connectionsCheckingInterval: checkMs,
} as const satisfies ServerOptions

/** Answers to a connection that Node cannot make a request of. One per kind of server, because their bodies differ. */
export interface ConnectionRefusals {
  /** Answers bytes that are not a request, and requests that did not arrive in time. */
  readonly clientError: (error: Error, socket: Duplex) => void
  /** Adds the answer to CONNECT, which Node hands to nobody else, and keeps answers in order. */
  readonly attach: (server: Server) => void
  /** Cuts a request whose body is not complete after `ms` milliseconds. */
  readonly limitBody: (request: IncomingMessage, ms: number) => void
}

/** @param bodyOf the JSON of a refusal, and its status */
export function connectionRefusals(
  bodyOf: (problem: Problem) => { readonly status: number; readonly body: string },
): ConnectionRefusals {
  /** The newest answer of each connection: what is refused after it is answered after it. */
  const answers = new WeakMap<Duplex, ServerResponse>()

  const refuse = (socket: Duplex, problem: Problem): void => {
    const before = answers.get(socket)
    const answer = (): void => end(socket, bodyOf(problem))
    if (before === undefined || before.writableFinished) answer()
    else before.once('close', answer)
  }
  const cut = ({ socket }: IncomingMessage, problem: Problem): void => {
    // Part of an answer cannot be taken back. Before that, the refusal takes the place of the answer.
    if (answers.get(socket)?.headersSent === true) socket.destroy()
    else end(socket, bodyOf(problem))
  }
  /** The request whose body can never be complete: its peer ended the connection in the middle of it. */
  const unfinished = (socket: Duplex): IncomingMessage | null => {
    const answer = answers.get(socket)
    return answer === undefined || answer.writableFinished || answer.req.complete
      ? null
      : answer.req
  }
  return {
    clientError: (error, socket) => {
      const request = unfinished(socket)
      if (codeOf(error) === 'ECONNRESET') socket.destroy()
      else if (codeOf(error) === 'ERR_HTTP_REQUEST_TIMEOUT') refuse(socket, tooSlow())
      else if (request === null) refuse(socket, unreadable())
      else cut(request, unreadable())
    },
    attach: (server) => {
      server.prependListener('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
        answers.set(socket, answer)
      })
      server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
        refuse(socket, refusedMethod('CONNECT'))
      })
    },
    limitBody: (request, ms) => {
      if (!hasBody(request)) return
      const timer = setTimeout(() => {
        if (!request.complete) cut(request, tooSlow())
      }, ms)
      request.once('close', () => clearTimeout(timer))
    },
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const unreadable = (): Problem =>
  new Problem('invalid_request', 'This is not an HTTP request that can be read. Nothing was done.')
const tooSlow = (): Problem =>
  new Problem('request_too_slow', 'The request did not arrive in time. Nothing was done.')
const refusedMethod = (method: string): Problem =>
  new Problem('invalid_request', `The method ${method} is not supported. Nothing was done.`)

/** Methods that a route may have, or that a browser sends. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** @throws {Problem} `invalid_request` for a method that no route has, and when there is not exactly one Host header */
export function refuseOddRequest({ method = '', rawHeaders }: IncomingMessage): void {
  if (!methods.has(method)) throw refusedMethod(method)
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
  if (hosts.length !== 1)
    throw new Problem(
      'invalid_request',
      `The request has ${hosts.length} Host headers instead of one. Nothing was done.`,
    )
}

/** The last bytes of a connection. */
function end(
  socket: Duplex,
  { status, body }: { readonly status: number; readonly body: string },
): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  socket.end(
    [
      `HTTP/1.1 ${status} ${status === 408 ? 'Request Timeout' : 'Bad Request'}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  // A peer that goes on sending is not waited for; one that reads has the answer by then.
  setTimeout(() => socket.destroy(), lingerMs).unref()
}
