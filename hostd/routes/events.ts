import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Problem, toProblem } from '#shared/errors'
import { runId } from '#shared/ids'
import { isEnded } from '#shared/run'
import { followRunLog } from '#ops/core/pipeline/run-log'
import { runLogFile } from '#ops/host/runner/run-files'
import { headerValues } from '../http/auth.ts'
import type { Deps } from '../http/deps.ts'
import { checked, type RouteDescription } from '../http/mount.ts'

/** A comment keeps proxies and clients from taking a quiet run for a dead connection. */
const heartbeatMs = 15_000
const seq = z
  .string()
  .regex(/^\d{1,15}$/, 'not an event number')
  .transform(Number)

const description: RouteDescription = {
  summary: 'The log and the step changes of a run, as server-sent events',
  params: z.strictObject({ id: runId }),
  query: z.strictObject({ after: seq.optional() }),
  headers: z.object({ 'last-event-id': seq.optional() }),
  replies: {
    200: {
      contentType: 'text/event-stream',
      description:
        'One message per line of the log: `id` is the number of the line, `data` the line. ' +
        'The last message is `event: end` with the status of the run. ' +
        'A comment is sent every 15 seconds.',
    },
  },
}

/** Writes, and waits while the reader does not take it: what a stalled reader has not read stays on disk, not in memory. */
async function write(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (!response.write(text)) await once(response, 'drain', { signal })
}

/** Server-sent events of one run: `id` is the number of the line, so a reader goes on exactly where it was cut off. */
export function eventRoutes(app: FastifyInstance, deps: Deps): void {
  const open = new Set<AbortController>()
  app.addHook('preClose', async () => {
    for (const stream of open) stream.abort()
  })

  app.get('/api/runs/:id/events', { config: { description } }, async (request, reply) => {
    const { id } = checked(z.strictObject({ id: runId }), request.params, 'address')
    const query = checked(z.strictObject({ after: seq.optional() }), request.query, 'query')
    const [last, ...more] = headerValues(request.raw, 'last-event-id')
    if (more.length > 0)
      throw new Problem('invalid_request', 'The header last-event-id is there more than once.')
    const after =
      last === undefined || last === ''
        ? (query.after ?? 0)
        : checked(seq, last, 'header last-event-id')
    deps.runs.get(id)

    const abort = new AbortController()
    const { signal } = abort
    const response = reply.raw
    response.once('close', () => abort.abort())
    open.add(abort)
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) response.setHeader(name, value)
    reply.hijack()
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    })
    response.flushHeaders()
    const heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': alive\n\n')
    }, heartbeatMs)
    try {
      const ended = (): boolean => isEnded(deps.runs.get(id).status)
      for await (const batch of followRunLog(runLogFile(deps.paths, id), {
        after,
        ended,
        signal,
      })) {
        await write(
          response,
          batch.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
          signal,
        )
      }
      if (!signal.aborted)
        response.end(
          `event: end\ndata: ${JSON.stringify({ status: deps.runs.get(id).status })}\n\n`,
        )
    } catch (error) {
      // Without `end` the reader knows that something is missing.
      if (!signal.aborted) deps.log('stream_broken', { run_id: id, why: toProblem(error).message })
      response.destroy()
    } finally {
      clearInterval(heartbeat)
      open.delete(abort)
      if (signal.aborted) response.destroy()
    }
  })
}
