import { Readable, type Writable } from 'node:stream'

/** What follows the request line: at once, or as it arrives, so that its sender never holds all of it. */
export type RequestBody = Uint8Array | Readable

/**
 * Sends the body and ends the stream. The runner counts the bytes: it refuses a body that was cut off. It may end
 * without reading the rest; then the sender's connection stays, because it still gets an answer.
 */
export function sendBody(body: RequestBody | undefined, to: Writable): void {
  if (!(body instanceof Readable)) {
    to.end(body)
    return
  }
  body.once('error', () => to.destroy())
  body.once('close', () => {
    if (!body.readableEnded) to.destroy()
  })
  body.pipe(to)
}
