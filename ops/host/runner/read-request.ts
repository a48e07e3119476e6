import { Problem } from '#shared/errors'
import { runnerRequest, type RunnerRequest } from '#shared/run'
import { maxBundleBytes } from '#shared/bundle'
import { parseJson } from '#ops/base/files/json-file'

/** Longest request line, bytes. */
const maxLineBytes = 64 * 1024

/**
 * Reads the one request of a runner: a JSON line, and for `store_ship` and `write_secret` the bytes that follow it.
 * @throws {Problem} `invalid_request` when the line is missing, too long or off its schema, or the body is not as
 * long as it says
 */
export async function readRequest(
  input: AsyncIterable<Buffer>,
): Promise<{ request: RunnerRequest; body: Buffer }> {
  let data = Buffer.alloc(0)
  let line = -1
  let request: RunnerRequest | undefined
  const pieces: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    if (request === undefined) {
      data = Buffer.concat([data, chunk])
      line = data.indexOf(10)
      if (line > maxLineBytes || (line < 0 && data.length > maxLineBytes))
        throw new Problem(
          'invalid_request',
          `The request line is longer than ${maxLineBytes} bytes.`,
        )
      if (line < 0) continue
      request = parseJson(data.toString('utf8', 0, line), runnerRequest, {
        errorClass: 'invalid_request',
        origin: 'The runner request',
      })
      pieces.push(data.subarray(line + 1))
      size = data.length - line - 1
    } else {
      pieces.push(chunk)
      size += chunk.length
    }
    const wanted = 'size' in request ? request.size : 0
    if (wanted > maxBundleBytes)
      throw new Problem('body_too_large', `A ship bundle has at most ${maxBundleBytes} bytes.`)
    if (size > wanted)
      throw new Problem('invalid_request', 'More bytes followed the request than it declares.')
    if (size === wanted) return { request, body: Buffer.concat(pieces) }
  }
  throw new Problem(
    'invalid_request',
    request === undefined
      ? 'The runner received no request line.'
      : 'The stream ended before the whole body had arrived.',
  )
}
