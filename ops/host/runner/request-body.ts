import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** What follows the request line: at once, or as it arrives, so that its sender never holds all of it. */
export type RequestBody = Uint8Array | Readable

/**
 * Sends the body and ends the stream. The runner counts the bytes: it refuses a body that was cut off, and it may
 * end without reading the rest, which it says in its answer.
 */
export function sendBody(body: RequestBody | undefined, to: Writable): void {
  if (body instanceof Readable) pipeline(body, to).catch(() => to.destroy())
  else to.end(body)
}
