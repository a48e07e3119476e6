import { hasCode, messageOf } from '#shared/system-error'
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import fastifyStatic from '@fastify/static'
import { fastify, type FastifyInstance } from 'fastify'
import { bridgeReply, type BridgeReply } from '#shared/bridge'
import { errorRule, Problem, toProblem } from '#shared/errors'
import { isLoopbackHostname } from '#shared/net/hostnames'
import { shownHostHeader } from '#shared/shown-host'
import type { Operator } from '../operator/operator.ts'
import { pageHeaders } from '../operator/page-headers.ts'
import {
  bodyMs,
  connectionRefusals,
  refuseOddRequest,
  serverLimits,
} from '../operator/base/bounded-server.ts'
import { redact } from '../operator/base/redaction.ts'
import { streamEvents } from './event-stream.ts'
import { refuseForeign, requireSecret } from './local-requests.ts'

export interface ServeOptions {
  readonly operator: Operator
  /** Folder of the built page. */
  readonly page: string
  /** 0 takes a free port. */
  readonly port: number
  /** Loopback only; anything else is refused. */
  readonly host?: string
  readonly log: (text: string) => void
}

export interface Served {
  /** With the secret in the fragment, which no browser sends anywhere. */
  readonly url: string
  readonly origin: string
  readonly secret: string
  /** An address that leads to `url` once, soon: other users of this machine can see what a browser is started with. */
  openOnce(): string
  close(): Promise<void>
}

/** Everything below it needs the secret. */
const bridgePrefix = '/bridge/'
/** Largest request of the page, in bytes. */
const maxBody = 256 * 1024
/** Live logs shown at once; more are refused, so that a page in a loop cannot use up the machine. */
const maxStreams = 32
/** How long an address for one opening is good, in milliseconds. */
const ticketMs = 60_000

/**
 * HQ in the browser: the same page and operator as the desktop app behind loopback HTTP. Every request needs the
 * secret of this start; the page has it from the fragment of the printed address.
 *
 * @throws {Problem} `port_in_use`; `invalid_request` for an address that is not loopback
 */
export async function serve({
  operator,
  page,
  port,
  host = '127.0.0.1',
  log,
}: ServeOptions): Promise<Served> {
  if (isIP(host) !== 4 || !isLoopbackHostname(host))
    throw new Problem(
      'invalid_request',
      `HQ listens on loopback only, not on ${host}. Nothing was started.`,
    )
  const secret = randomBytes(32).toString('hex')
  const tickets = new Set<string>()
  const bound = { port }
  const server = fastify({
    bodyLimit: maxBody,
    forceCloseConnections: true,
    http: serverLimits,
    keepAliveTimeout: serverLimits.keepAliveTimeout,
    requestTimeout: bodyMs,
    clientErrorHandler: refusals.clientError,
    routerOptions: { maxParamLength: 100 },
  })
  refusals.attach(server.server)
  addGate(server, secret, bound)
  addRefusals(server, log)
  addTickets(server, secret, tickets)
  addBridge(server, operator)
  await server.register(fastifyStatic, {
    root: page,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('cache-control', 'no-cache')
    },
  })
  bound.port = await listen(server, host, port)
  const origin = `http://${host}:${bound.port}`
  return {
    origin,
    secret,
    url: `${origin}/#secret=${secret}`,
    close: () => server.close(),
    openOnce: () => {
      const ticket = randomBytes(32).toString('hex')
      tickets.add(ticket)
      setTimeout(() => tickets.delete(ticket), ticketMs).unref()
      return `${origin}/open/${ticket}`
    },
  }
}

/** Refuses requests from elsewhere, and those without the secret, before the body is read. */
function addGate(server: FastifyInstance, secret: string, bound: { readonly port: number }): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(pageHeaders)
    refuseOddRequest(request.raw)
    refuseForeign(request.raw, bound.port)
    // By the address and by the route it leads to: an address can be spelled in many ways.
    const { url } = request.routeOptions
    if (request.url.startsWith(bridgePrefix) || url?.startsWith(bridgePrefix))
      requireSecret(request.raw, secret)
  })
}

function addRefusals(server: FastifyInstance, log: ServeOptions['log']): void {
  server.setErrorHandler(async (error, _request, reply) => {
    const problem = asProblem(error)
    if (problem.errorClass === 'internal_error')
      log(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return reply.code(errorRule(problem.errorClass).http ?? 500).send(refusal(problem))
  })
  server.setNotFoundHandler(async (request, reply) => {
    // A reload on an inner page of the app; files and the bridge are never answered with the page.
    const inner =
      request.method === 'GET' &&
      !request.url.startsWith('/bridge/') &&
      (request.headers.accept ?? '').includes('text/html')
    return inner
      ? reply.sendFile('index.html')
      : reply.code(404).send(refusal(new Problem('not_found', 'HQ has no page at this address.')))
  })
}

/** Addresses that lead to the page once: what a browser is started with can be seen by other users. */
function addTickets(server: FastifyInstance, secret: string, tickets: Set<string>): void {
  server.get<{ Params: { ticket: string } }>('/open/:ticket', async ({ params }, reply) => {
    if (!tickets.delete(params.ticket))
      throw new Problem(
        'not_found',
        'This address worked once and is no longer valid. Open the address that HQ printed.',
      )
    return reply.header('cache-control', 'no-store').redirect(`/#secret=${secret}`)
  })
}

/** @returns the port @throws {Problem} `port_in_use` */
async function listen(server: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    await server.close()
    if (hasCode(error, 'EADDRINUSE'))
      throw new Problem(
        'port_in_use',
        `Port ${port} is taken by another program. Nothing was started; choose another with --port.`,
        { cause: error },
      )
    throw error
  }
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  return address.port
}

function addBridge(server: FastifyInstance, operator: Operator): void {
  let streams = 0
  server.get('/openclaw-mode.json', async () => ({ mode: 'serve' }))
  server.post<{ Params: { name: string } }>(
    '/bridge/call/:name',
    async ({ params, body, headers }, reply) => {
      void reply.header('cache-control', 'no-store')
      const shown = headers[shownHostHeader]
      const host = typeof shown === 'string' ? shown : null
      return bridgeReply.parse(await operator.call(params.name, body, host))
    },
  )
  server.post('/bridge/events', async ({ body }, reply) => {
    if (streams >= maxStreams)
      throw new Problem(
        'too_many_streams',
        `HQ shows ${maxStreams} live logs already, so this one was not opened. Nothing was changed.`,
      )
    streams += 1
    reply.raw.once('close', () => {
      streams -= 1
    })
    reply.hijack()
    streamEvents(operator, body, { response: reply.raw, headers: pageHeaders })
  })
}

const refusal = ({ errorClass, message }: Problem): BridgeReply => ({
  ok: false,
  problem: {
    error_class: errorClass,
    message:
      errorClass === 'internal_error'
        ? 'HQ has a defect; its log on this machine says where.'
        : redact.text(message),
    next_auto_fix: errorRule(errorClass).next_auto_fix,
  },
})

/** Answers to what is not a request. */
const refusals = connectionRefusals((problem) => ({
  status: errorRule(problem.errorClass).http ?? 400,
  body: JSON.stringify(refusal(problem)),
}))

/** Fastify's own refusals of a request, as classes of ours. */
function asProblem(error: unknown): Problem {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (error instanceof Problem || typeof status !== 'number') return toProblem(error)
  const message = messageOf(error)
  if (status === 413)
    return new Problem('body_too_large', `The request is larger than ${maxBody} bytes.`, {
      cause: error,
    })
  if (status === 415)
    return new Problem('unsupported_media_type', 'The bridge accepts application/json only.', {
      cause: error,
    })
  return status < 500 ? new Problem('invalid_request', message, { cause: error }) : toProblem(error)
}
