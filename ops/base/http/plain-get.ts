import { request } from 'node:http'

export interface PlainAnswer {
  readonly status: number
  readonly text: string
}

/** Where to send a request: a loopback port, or a unix socket. */
export type Place =
  { readonly host: string; readonly port: number } | { readonly socketPath: string }

/**
 * One GET by plain HTTP, for what `fetch` cannot do: a unix socket, and a chosen Host header. Redirects are not
 * followed.
 * @param timeoutMs for the whole answer
 * @throws the system's error (`code` ENOENT, ECONNREFUSED …), or one that says what was wrong
 */
export const plainGet = (
  place: Place,
  path: string,
  {
    headers = {},
    signal,
    timeoutMs,
    maxBytes,
  }: {
    headers?: Readonly<Record<string, string>>
    signal?: AbortSignal | undefined
    timeoutMs: number
    maxBytes: number
  },
): Promise<PlainAnswer> =>
  new Promise((resolve, reject) => {
    const limit = AbortSignal.timeout(timeoutMs)
    const failed = (error: Error): void =>
      reject(limit.aborted ? new Error('it did not answer in time', { cause: error }) : error)
    const sent = request(
      {
        ...place,
        path,
        headers: { ...headers },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      },
      (answer) => {
        const chunks: Buffer[] = []
        let size = 0
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxBytes)
            answer.destroy(new Error(`the answer is larger than ${maxBytes} bytes`))
          else chunks.push(chunk)
        })
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        )
        answer.once('error', failed)
      },
    )
    sent.once('error', failed)
    sent.end()
  })
