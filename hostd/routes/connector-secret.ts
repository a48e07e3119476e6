import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { execReply, joinableBody } from '#shared/api'
import {
  connectorName,
  maxSecretBytes,
  refuseLargeSecret,
  secretKind,
  secretStoredReply,
} from '#shared/connectors'
import { connectorModes, connectors } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import { hostdPaths } from '#shared/hostd-paths'
import { requestFromRunner } from '#ops/host/runner/launch'
import { requireActor } from '../http/caller.ts'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'
import { startRun } from './exec.ts'

const secretType = 'application/octet-stream'
const params = z.strictObject({ name: connectorName })
const modeOnly = z.strictObject({ mode: z.enum(connectorModes).optional() })

/** A secret on its way to the runner, and the runs that prove or delete it. */
export function connectorSecretRoutes(app: FastifyInstance, deps: Deps): void {
  // The one route that takes other bodies than JSON. Its own scope keeps them from every other route.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(secretType, (_request, body, done) => done(null, body))
    sendSecretRoute(scope, deps)
  })
  mount(app, {
    method: 'POST',
    url: hostdPaths.connectorStart,
    summary: 'Starts the run that says what a connector waits for',
    params,
    body: modeOnly,
    replies: { 202: execReply, 409: joinableBody },
    handle: ({ params: { name }, body, request, reply }) =>
      startRun(deps, { action: 'connector_start', params: { name, ...body }, request, reply }),
  })
  mount(app, {
    method: 'POST',
    url: hostdPaths.connectorFinalize,
    summary: 'Starts the run that proves a secret of a connector and then uses it',
    params,
    body: modeOnly,
    replies: { 202: execReply, 409: joinableBody },
    handle: ({ params: { name }, body, request, reply }) =>
      startRun(deps, { action: 'connector_finalize', params: { name, ...body }, request, reply }),
  })
  mount(app, {
    method: 'POST',
    url: hostdPaths.connectorRevoke,
    summary: 'Starts the run that deletes the secrets of a connector',
    params,
    body: z.strictObject({}),
    replies: { 202: execReply, 409: joinableBody },
    handle: ({ params: { name }, request, reply }) =>
      startRun(deps, { action: 'connector_revoke', params: { name }, request, reply }),
  })
}

/** The body passes through in pieces: hostd neither keeps nor reads it. */
function sendSecretRoute(app: FastifyInstance, deps: Deps): void {
  mount(app, {
    method: 'PUT',
    url: hostdPaths.connectorSecret,
    summary: 'Stores a secret beside the one in use, until it is proved',
    params,
    query: z.strictObject({ kind: secretKind }),
    stream: secretType,
    bodyLimit: maxSecretBytes,
    replies: { 200: secretStoredReply },
    handle: async ({ params: { name }, query: { kind }, request }) => {
      const known: readonly string[] = connectors[name].secrets
      if (!known.includes(kind))
        throw new Problem(
          'invalid_request',
          `The query is refused: kind: ${name} has ${known.join(', ')}. Nothing was stored.`,
        )
      await requestFromRunner(
        {
          op: 'write_secret',
          connector: name,
          kind,
          size: sizeOf(request.headers['content-length']),
          actor: await requireActor(request.raw, deps.paths),
        },
        deps.launch(),
        request.body as Readable,
      )
      deps.log('secret_stored', { connector: name, kind })
      return { ok: true as const, name, kind }
    },
  })
}

/** @throws {Problem} `body_too_large`; `invalid_request` without a length, by which a cut body is recognised */
function sizeOf(length: string | undefined): number {
  const size = Number(length ?? 0)
  if (!Number.isSafeInteger(size) || size < 1)
    throw new Problem(
      'invalid_request',
      'The body is empty or of unknown length. Nothing was stored.',
    )
  refuseLargeSecret(size)
  return size
}
