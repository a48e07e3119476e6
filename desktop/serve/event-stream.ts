import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Operator } from '../operator/operator.ts'

const heartbeatMs = 15_000

interface EventResponse {
  readonly response: ServerResponse
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Answers with the events of a run as `text/event-stream`: each message one JSON array, at the end `event: end` with
 * `null` or a problem. A reader that is slow slows the stream down; a reader that is gone ends it.
 */
export function streamEvents(
  operator: Operator,
  request: unknown,
  { response, headers }: EventResponse,
): void {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': alive\n\n')
  }, heartbeatMs)
  const gone = new AbortController()
  const stop = operator.events(
    request,
    async (events) => {
      if (response.write(`data: ${JSON.stringify(events)}\n\n`)) return
      // It also ends when the reader leaves, or the connection breaks. Neither is an error of the stream, and there is
      // nobody left to report it to: `close` follows both, and stops the stream.
      await once(response, 'drain', { signal: gone.signal }).catch(() => undefined)
    },
    (problem) => response.end(`event: end\ndata: ${JSON.stringify(problem)}\n\n`),
  )
  response.once('close', () => {
    clearInterval(heartbeat)
    stop()
    gone.abort()
  })
}
