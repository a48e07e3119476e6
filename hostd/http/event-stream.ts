/** One answer of server-sent events: written as fast as its reader takes it, with a heartbeat. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { Problem } from '#shared/errors'

/** A comment keeps proxies and clients from taking a quiet run for a dead connection, milliseconds. */
const heartbeatMs = 15_000

/** A reader that takes nothing for this long is cut, so that it holds no place; milliseconds. It may come back. */
const stalledMs = 60_000
/** Most streams of one caller, and of all. Each holds a buffer and, while its run goes on, a watch of the folder. */
const maxPerCaller = 32
const maxStreams = 64

/** The streams that are open, and their number for each caller. */
export class OpenStreams {
  readonly #callers = new Map<EventStream, string>()

  /**
   * Answers with a stream.
   * @param caller who sent the request
   * @throws {Problem} `too_many_streams`; nothing was answered then
   */
  start(reply: FastifyReply, caller: string): EventStream {
    const own = [...this.#callers.values()].filter((each) => each === caller).length
    if (own >= maxPerCaller || this.#callers.size >= maxStreams)
      throw new Problem(
        'too_many_streams',
        own >= maxPerCaller
          ? `hostd sends ${own} live logs to this caller already, so this one was not opened.`
          : `hostd sends ${this.#callers.size} live logs already, so this one was not opened.`,
      )
    const stream = new EventStream(reply, () => this.#callers.delete(stream))
    this.#callers.set(stream, caller)
    return stream
  }

  abort(): void {
    for (const stream of this.#callers.keys()) stream.abort()
  }
}

export class EventStream {
  readonly #abort = new AbortController()
  readonly #response: ServerResponse
  readonly #heartbeat: NodeJS.Timeout

  /** Answers 200 and keeps the connection open. Fastify no longer touches this reply. @param onClosed called at its end */
  constructor(reply: FastifyReply, onClosed: () => void) {
    this.#response = reply.raw
    this.#response.once('close', () => {
      this.abort()
      onClosed()
    })
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
    if (this.#response.write(bytes)) return
    const stalled = setTimeout(() => this.abort(), stalledMs)
    try {
      await once(this.#response, 'drain', { signal: this.signal })
    } finally {
      clearTimeout(stalled)
    }
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
