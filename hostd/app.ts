import { hostdPaths } from '#shared/hostd-paths'
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { ErrorBody } from '#shared/api'
import { errorRule, Problem, toProblem } from '#shared/errors'
import {
  bodyMs,
  connectionRefusals,
  refuseOddRequest,
  serverLimits,
  uploadMs,
  type ConnectionRefusals,
} from '#ops/base/http/bounded-server'
import { redact } from '#ops/base/redact/redaction'
import { checkOrigin, checkToken, throughFunnel } from './http/auth.ts'
import { claimsIdentity } from './http/caller.ts'
import type { Deps } from './http/deps.ts'
import { logger, type Log } from './log/log.ts'
import { mountRoutes } from './routes/index.ts'
import { requestAlarm } from './runs/request-alarm.ts'

/** Largest JSON body of any route but the ship bundle's, bytes. */
const bodyLimit = 64 * 1024

const loggerInstance: FastifyBaseLogger = logger

const bodyOf = ({ errorClass, message }: Problem): ErrorBody => ({
  ok: false,
  error_class: errorClass,
  detail: redact.text(message),
  next_auto_fix: errorRule(errorClass).next_auto_fix,
})

/** hostd's answers to what is not a request, on each of its servers. */
export const refusals: ConnectionRefusals = connectionRefusals((problem) => ({
  status: errorRule(problem.errorClass).http ?? 400,
  body: JSON.stringify(bodyOf(problem)),
}))

/** Fastify's own refusals, as classes of the one table. */
function ofFastify(error: FastifyError): Problem | null {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem(
        'body_too_large',
        'The body is larger than this route takes. Nothing was done.',
      )
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem(
        'unsupported_media_type',
        'The body must be application/json. Nothing was done.',
      )
    default:
      return typeof error.statusCode === 'number' &&
        error.statusCode >= 400 &&
        error.statusCode < 500
        ? new Problem(
            'invalid_request',
            `The request is refused: ${error.message}. Nothing was done.`,
          )
        : null
  }
}

/**
 * hostd's HTTP API (docs/reference/api.md), without a port. Each request is checked in this order: whether it is HTTP,
 * for which host it is, where it comes from, whether this host has a token, whether the caller has it. Only then its
 * route is found.
 */
export function createApp(deps: Deps): FastifyInstance {
  const { rules, log } = deps
  const throughFunnelAlarm = requestAlarm('funnel', deps)
  const claimedIdentityAlarm = requestAlarm('claimed_identity', deps)
  const refuse = refuser(log)
  const checkCaller = (request: FastifyRequest, { open }: { open: boolean }): void => {
    // Counted first, even if more is wrong with the request.
    if (throughFunnel(request.raw)) throughFunnelAlarm()
    if (claimsIdentity(request.raw)) claimedIdentityAlarm()
    refuseOddRequest(request.raw)
    checkOrigin(request.raw, rules)
    if (!open) checkToken(request.raw, rules)
  }

  const app = fastify({
    loggerInstance,
    disableRequestLogging: true,
    trustProxy: false,
    bodyLimit,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    http: serverLimits,
    keepAliveTimeout: serverLimits.keepAliveTimeout,
    requestTimeout: serverLimits.requestTimeout,
    routerOptions: { maxParamLength: 1000 },
    frameworkErrors: (error, request, reply) => {
      let thrown: unknown = ofFastify(error) ?? error
      try {
        checkCaller(request, { open: false })
      } catch (refused) {
        thrown = refused
      }
      void refuse(thrown, reply, true)
    },
    clientErrorHandler: refusals.clientError,
  })
  refusals.attach(app.server)
  app.removeContentTypeParser('text/plain')

  app.addHook('onRequest', async (request, reply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    const { url } = request.routeOptions
    checkCaller(request, { open: url === hostdPaths.health })
    refusals.limitBody(request.raw, url === hostdPaths.storeShip ? uploadMs : bodyMs)
  })
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const { headers } = request
    return await refuse(
      error instanceof Problem ? error : (ofFastify(error) ?? error),
      reply,
      headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined,
    )
  })
  app.setNotFoundHandler(async (request) => {
    throw new Problem('not_found', `hostd has no route for ${request.method} at this address.`)
  })
  mountRoutes(app, deps)
  return app
}

/** @returns answers a request with the Problem that was thrown; a defect goes to the log with its stack */
const refuser =
  (log: Log) =>
  async (thrown: unknown, reply: FastifyReply, hasBody: boolean): Promise<FastifyReply> => {
    const problem = toProblem(thrown)
    const status = errorRule(problem.errorClass).http ?? 500
    if (problem.errorClass === 'internal_error') {
      log('internal_error', {
        method: reply.request.method,
        url: reply.request.routeOptions.url ?? null,
        why: problem.message,
        stack: problem.cause instanceof Error ? problem.cause.stack : problem.stack,
      })
    }
    // The rest of a refused body is not waited for.
    if (hasBody && status !== 409) void reply.header('connection', 'close')
    return await reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(bodyOf(problem)))
  }
