import { request } from 'node:http'
import { adminTokenHeader } from '#shared/api'
import { Problem } from '#shared/errors'
import type { Answer } from '#ops/engines/health'

/** Longest wait for one answer, milliseconds, and its largest size. */
const answerMs = 5_000
const maxAnswerBytes = 1024 * 1024

/** One GET to hostd over its unix socket: a container cannot reach the host's loopback. @throws {Problem} `hostd_unreachable` */
export const askSocket = (socketPath: string, path: string, token: string | undefined): Promise<Answer> => new Promise((resolve, reject) => {
  const failed = (why: string, cause?: unknown): void => reject(new Problem('hostd_unreachable', `${path} did not answer: ${why}.`, { cause }))
  const asked = request({ socketPath, path, headers: { host: 'localhost', ...(token === undefined ? {} : { [adminTokenHeader]: token }) }, signal: AbortSignal.timeout(answerMs) }, (answer) => {
    const chunks: Buffer[] = []
    let size = 0
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxAnswerBytes) answer.destroy(new Error(`the answer is larger than ${maxAnswerBytes} bytes`))
      else chunks.push(chunk)
    })
    answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }))
    answer.once('error', (error) => failed(error.message, error))
  })
  asked.once('error', (error) => failed('code' in error && error.code === 'ENOENT' ? 'its socket is not there' : error.message, error))
  asked.end()
})
