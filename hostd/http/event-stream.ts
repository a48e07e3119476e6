/** One answer of server-sent events: written as fast as its reader takes it, with a heartbeat. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** A comment keeps proxies and clients from taking a quiet run for a dead connection, milliseconds. */
const heartbeatMs = 15_000

export class EventStream {
  readonly #abort = new AbortController()
  readonly #response: ServerResponse
  readonly #heartbeat: NodeJS.Timeout

  /** Answers 200 and keeps the connection open. Fastify no longer touches this reply. */
  constructor(reply: FastifyReply) {
    this.#response = reply.raw
    this.#response.once('close', () => this.abort())
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) this.#response.setHeader(name, value)
    reply.hijack()
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    })
    this.#response.flushHeaders()
    this.#heartbeat = setInterval(() => {
      if (!this.#response.writableNeedDrain) this.#response.write(': alive\n\n')
    }, heartbeatMs)
  }

  /** Aborted when the reader is gone or hostd stops. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Waits while the reader does not take it: what a stalled reader has not read stays on disk, not in memory. */
  async write(bytes: Buffer): Promise<void> {
    if (!this.#response.write(bytes)) await once(this.#response, 'drain', { signal: this.signal })
  }

  /** The last message. A reader that did not get it knows that something is missing. */
  end(data: unknown): void {
    this.#response.end(`event: end\ndata: ${JSON.stringify(data)}\n\n`)
  }

  abort(): void {
    this.#abort.abort()
  }

  /** @param broken the connection is cut, so that the reader knows that something is missing */
  close({ broken }: { broken: boolean }): void {
    clearInterval(this.#heartbeat)
    if (broken || this.signal.aborted) this.#response.destroy()
  }
}
