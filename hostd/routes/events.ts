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
import { quickActorOf } from '../http/caller.ts'
import type { Deps } from '../http/deps.ts'
import { OpenStreams, type EventStream } from '../http/event-stream.ts'
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
  const open = new OpenStreams()
  app.addHook('preClose', async () => open.abort())

  app.get(hostdPaths.runEvents, { config: { description } }, async (request, reply) => {
    const { id } = checked(address, request.params, 'address')
    const after = resumePoint(request)
    deps.runs.get(id)
    const stream = open.start(reply, quickActorOf(request.raw))
    let broken = false
    try {
      await sendLog(stream, deps, { id, after })
    } catch (error) {
      broken = true
      if (!stream.signal.aborted)
        deps.log('stream_broken', { run_id: id, why: toProblem(error).message })
    } finally {
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
 * The runner redacted a line when it wrote it, and numbered it. Its bytes are passed on as they are.
 * @throws {Error} when a line cannot be an event: the log is damaged
 */
function messages({ first, lines }: LogLines): Buffer {
  let size = 0
  for (const line of lines) size += line.length + frameBytes
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (const [index, line] of lines.entries()) {
    const number = first + index
    if (!isObjectText(line)) throw new Error(`line ${number} of the log is not a JSON object`)
    at += out.write(`id: ${number}\ndata: `, at, 'latin1')
    const begin = at
    at += line.copy(out, at)
    // In a stream of events a carriage return ends a line. In JSON it stands between two tokens only.
    for (let cr = line.indexOf(carriageReturn); cr >= 0; cr = line.indexOf(carriageReturn, cr + 1))
      out[begin + cr] = space
    at += out.write('\n\n', at, 'latin1')
  }
  return out.subarray(0, at)
}

/** Most bytes of a message besides its line: a number has at most 16 digits. */
const frameBytes = 'id: \ndata: \n\n'.length + 16
const carriageReturn = 13
const space = 32
const blanks = new Set([space, 9, carriageReturn])

/** Does it begin and end as a JSON object does? Whether the rest is JSON, its reader sees. */
function isObjectText(line: Buffer): boolean {
  let [from, to] = [0, line.length - 1]
  while (blanks.has(line[from] ?? 0)) from += 1
  while (blanks.has(line[to] ?? 0)) to -= 1
  return line[from] === 0x7b && line[to] === 0x7d && from < to
}
