/** The log of a run as server-sent events: the bytes of each line, under the number of the line. */
import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Problem, toProblem } from '#shared/errors'
import { runId } from '#shared/ids'
import { isEnded } from '#shared/run'
import { followLogLines, type LogLines } from '#ops/core/pipeline/log-lines'
import { runLogFile } from '#ops/host/runner/run-files'
import { headerValues } from '../http/auth.ts'
import type { Deps } from '../http/deps.ts'
import { EventStream } from '../http/event-stream.ts'
import { checked, type RouteDescription } from '../http/mount.ts'

const seq = z
  .string()
  .regex(/^\d{1,15}$/, 'not an event number')
  .transform(Number)
const address = z.strictObject({ id: runId })
const afterQuery = z.strictObject({ after: seq.optional() })

const description: RouteDescription = {
  summary: 'The log and the step changes of a run, as server-sent events',
  params: address,
  query: afterQuery,
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

export function eventRoutes(app: FastifyInstance, deps: Deps): void {
  const open = new Set<EventStream>()
  app.addHook('preClose', async () => {
    for (const stream of open) stream.abort()
  })

  app.get(hostdPaths.runEvents, { config: { description } }, async (request, reply) => {
    const { id } = checked(address, request.params, 'address')
    const after = resumePoint(request)
    deps.runs.get(id)
    const stream = new EventStream(reply)
    open.add(stream)
    let broken = false
    try {
      await sendLog(stream, deps, { id, after })
    } catch (error) {
      broken = true
      if (!stream.signal.aborted)
        deps.log('stream_broken', { run_id: id, why: toProblem(error).message })
    } finally {
      open.delete(stream)
      stream.close({ broken })
    }
  })
}

/** The number of the last event that the reader has. The header counts before the query. */
function resumePoint(request: FastifyRequest): number {
  const { after = 0 } = checked(afterQuery, request.query, 'query')
  const [last, ...more] = headerValues(request.raw, 'last-event-id')
  if (more.length > 0)
    throw new Problem('invalid_request', 'The header last-event-id was sent more than once.')
  return last === undefined || last === '' ? after : checked(seq, last, 'header last-event-id')
}

async function sendLog(
  stream: EventStream,
  { runs, paths }: Deps,
  { id, after }: { id: string; after: number },
): Promise<void> {
  const { signal } = stream
  const ended = (): boolean => isEnded(runs.get(id).status)
  for await (const batch of followLogLines(runLogFile(paths, id), { after, ended, signal }))
    await stream.write(messages(batch))
  if (!signal.aborted) stream.end({ status: runs.get(id).status })
}

/**
 * The runner redacted a line when it wrote it, and numbered it. It is passed on as it is.
 * @throws {Error} when a line cannot be an event: the log is damaged
 */
function messages({ first, lines }: LogLines): Buffer {
  return Buffer.concat(
    lines.flatMap((line, at) => {
      const number = first + at
      if (!isObjectText(line)) throw new Error(`line ${number} of the log is not a JSON object`)
      return [Buffer.from(`id: ${number}\ndata: `), onOneLine(line), messageEnd]
    }),
  )
}

const messageEnd = Buffer.from('\n\n')
const carriageReturn = 13
const space = 32

const isObjectText = (line: Buffer): boolean =>
  /^[ \t\r]*\{$/.test(line.toString('latin1', 0, line.indexOf('{') + 1)) &&
  /^\}[ \t\r]*$/.test(line.toString('latin1', line.lastIndexOf('}')))

/** In a stream of events a carriage return ends a line. In JSON it stands between two tokens only. */
const onOneLine = (line: Buffer): Buffer =>
  line.includes(carriageReturn)
    ? Buffer.from(line.map((byte) => (byte === carriageReturn ? space : byte)))
    : line
