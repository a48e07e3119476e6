// The console: HQ's page in a browser, and the API behind it.
import { accessSync, constants } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import httpProxy from '@fastify/http-proxy'
import fastifyStatic from '@fastify/static'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { ErrorBody } from '#shared/api'
import type { HostSettings } from '#shared/config'
import { errorRule, Problem, toProblem } from '#shared/errors'
import {
  bodyMs,
  connectionRefusals,
  refuseOddRequest,
  serverLimits,
  uploadMs,
} from '#ops/base/http/bounded-server'
import { hostdPaths } from '#shared/hostd-paths'
import { artifactRoutes } from './artifacts.ts'
import { checkRequest, forwardedHeaders, requestRules } from './request-rules.ts'

export interface ConsoleOptions {
  /** Folder of the built page. */
  readonly page: string
  readonly artifacts: string
  readonly hostdUrl: string
  /** Unix socket of hostd, where its address cannot be reached: inside a container. */
  readonly hostdSocket?: string
  readonly settings: HostSettings
  readonly version: string
  /** Port it listens on, for the Host rule; called at each request. */
  readonly port: () => number
}

/** No inline script, nothing from elsewhere, no framing. Style attributes are needed by the component library. */
const policy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const bodyOf = ({ errorClass, message }: Problem): ErrorBody => ({
  ok: false,
  error_class: errorClass,
  detail: message,
  next_auto_fix: errorRule(errorClass).next_auto_fix,
})

/** Answers to what is not a request. */
const refusals = connectionRefusals((problem) => ({
  status: errorRule(problem.errorClass).http ?? 400,
  body: JSON.stringify(bodyOf(problem)),
}))

/** The beginning of the one address that takes large bodies. */
const uploads = hostdPaths.storeShip.replace(/:.*$/, '')

function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(errorRule(problem.errorClass).http ?? 500)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(bodyOf(problem)))
}

/** An event stream's head goes out at once: the page must not wait for the first event to know that it is connected. */
function passOn(reply: FastifyReply, body: Readable): void {
  if (!String(reply.getHeader('content-type')).startsWith('text/event-stream')) {
    void reply.send(body)
    return
  }
  reply.hijack()
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  reply.raw.flushHeaders()
  // Either side may end at any time; then the other ends too.
  pipeline(body, reply.raw, () => undefined)
}

const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false // the answer itself
  }
}

/** The part of a fastify error that says whose fault it is. */
const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined

/**
 * The built page, hostd's API behind the same origin, and proof from the artifacts folder (docs/ARCHITECTURE.md). It
 * holds no token: hostd judges what the caller sends.
 */
export async function consoleApp(options: ConsoleOptions): Promise<FastifyInstance> {
  const { page, artifacts, hostdUrl, hostdSocket, settings, port } = options
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    http: serverLimits,
    keepAliveTimeout: serverLimits.keepAliveTimeout,
    requestTimeout: serverLimits.requestTimeout,
    clientErrorHandler: refusals.clientError,
    routerOptions: { ignoreTrailingSlash: false },
  })
  refusals.attach(app.server)
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    })
    refuseOddRequest(request.raw)
    checkRequest(request.raw, requestRules(settings, port()))
    const upload = request.method === 'PUT' && request.url.startsWith(uploads)
    refusals.limitBody(request.raw, upload ? uploadMs : bodyMs)
  })
  app.setErrorHandler((error, _request, reply) => refuse(reply, shownProblem(error)))
  stateRoutes(app, options)
  artifactRoutes(app, {
    artifacts,
    hostdUrl,
    ...(hostdSocket === undefined ? {} : { hostdSocket }),
  })
  await proxyApi(app, options)
  await servePage(app, page)
  return app
}

/** What the caller may read of an error: what a defect says may hold what another caller sent. */
function shownProblem(error: unknown): Problem {
  const status = statusOf(error)
  if (status !== undefined && status >= 400 && status < 500)
    return new Problem(
      status === 413 ? 'body_too_large' : 'invalid_request',
      'The request cannot be read.',
    )
  const problem = toProblem(error)
  return problem.errorClass === 'internal_error'
    ? new Problem(
        'internal_error',
        'The console has a defect. Nothing was started or changed by this request as far as it knows.',
      )
    : problem
}

/** Health, and the mode by which the page knows that it is the console. */
function stateRoutes(app: FastifyInstance, { page, version }: ConsoleOptions): void {
  const index = join(page, 'index.html')
  app.get('/health', (_request, reply) => {
    const ok = isReadable(index)
    return reply.code(ok ? 200 : 503).send({ ok, version })
  })
  app.get('/openclaw-mode.json', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ mode: 'console' }),
  )
}

async function proxyApi(
  app: FastifyInstance,
  { hostdUrl, hostdSocket }: ConsoleOptions,
): Promise<void> {
  const upstream = new URL(hostdUrl)
  await app.register(httpProxy, {
    upstream: upstream.origin,
    prefix: '/api',
    rewritePrefix: '/api',
    httpMethods: ['GET', 'POST', 'PUT', 'DELETE'],
    // As many connections as callers: with a fixed number, open event streams and half-sent bodies would keep everybody
    // else waiting.
    undici: {
      connections: null,
      ...(hostdSocket === undefined ? {} : { socketPath: hostdSocket }),
    },
    replyOptions: {
      rewriteRequestHeaders: (_request, headers) =>
        forwardedHeaders(headers, upstream.host) as typeof headers,
      onResponse: (_request, reply, answer) =>
        passOn(reply as FastifyReply, (answer as unknown as { stream: Readable }).stream),
      onError: (reply) => {
        void refuse(
          reply as FastifyReply,
          new Problem(
            'hostd_unreachable',
            'hostd did not answer. Nothing was started or changed by this request as far as the console knows.',
          ),
        )
      },
    },
  })
}

async function servePage(app: FastifyInstance, page: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: page,
    index: ['index.html'],
    wildcard: true,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (response, path) => {
      // Names under assets/ carry a digest of their content; the page that names them must always be fresh.
      void response.header(
        'cache-control',
        path.startsWith(join(page, 'assets')) ? 'public, max-age=31536000, immutable' : 'no-cache',
      )
    },
  })
  app.setNotFoundHandler((request, reply) => {
    const wantsPage =
      request.method === 'GET' &&
      !request.url.startsWith('/api/') &&
      (request.headers.accept ?? '').includes('text/html')
    // The path leads into the page, which reads it from the address.
    return wantsPage
      ? reply.header('cache-control', 'no-cache').sendFile('index.html')
      : refuse(reply, new Problem('not_found', 'There is no such route.'))
  })
}
