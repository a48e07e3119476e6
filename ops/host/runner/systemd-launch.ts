import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Problem } from '#shared/errors'
import { runnerReply, type RunnerReply, type RunnerRequest } from '#shared/run'
import { messageOf } from '#shared/system-error'
import { parseJson } from '#ops/base/files/json-file'
import { sendBody, type RequestBody } from './request-body.ts'

/** A connection is accepted by systemd at once; longer means that its socket unit is not there, milliseconds. */
const connectMs = 5000
const maxAnswerBytes = 64 * 1024

async function open(path: string, what: string): Promise<Socket> {
  const socket = connect({ path })
  const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), connectMs)
  try {
    await once(socket, 'connect')
    socket.on('error', () => undefined) // 'close' follows; a broken connection says nothing about the run
    return socket
  } catch (error) {
    const why = messageOf(error)
    throw new Problem(
      'runner_start_failed',
      `${what} could not be started: ${path}: ${why}. Nothing was run.`,
      { cause: error },
    )
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Starts a run as a separate systemd unit: its request is written to the socket that starts one instance of the runner
 * per connection. The run does not depend on the connection; the connection shows its end.
 * @returns `ended`: resolves when the runner has closed the connection
 * @throws {Problem} `runner_start_failed` when nothing listens there
 */
export async function startUnit(
  request: Extract<RunnerRequest, { op: 'start' }>,
  path: string,
): Promise<{ pid: null; ended: Promise<{ exitCode: null; signal: null; said: string }> }> {
  const socket = await open(path, `The runner of ${request.run_id}`)
  socket.resume()
  const ended = once(socket, 'close').then(() => ({
    exitCode: null,
    signal: null,
    said: 'the journal of its unit says why',
  }))
  socket.end(`${JSON.stringify(request)}\n`)
  return { pid: null, ended }
}

/**
 * Sends one request to a fresh runner unit and waits for its one-line answer.
 * @param path socket of the runner
 * @param body follows the request line, when the request has one
 * @param limitMs longest wait for the answer, milliseconds
 * @returns the answer, also one that refuses
 * @throws {Problem} `runner_start_failed`; `internal_error` when there was no answer
 */
export async function requestFromUnit(
  request: Exclude<RunnerRequest, { op: 'start' }>,
  path: string,
  { limitMs, body }: { limitMs: number; body: RequestBody | undefined },
): Promise<RunnerReply> {
  const socket = await open(path, `The runner for ${request.op}`)
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer = (answer + chunk.toString('utf8')).slice(0, maxAnswerBytes)
  })
  const timer = setTimeout(() => socket.destroy(), limitMs)
  try {
    const closed = once(socket, 'close')
    socket.write(`${JSON.stringify(request)}\n`)
    sendBody(body, socket)
    await closed
  } finally {
    clearTimeout(timer)
  }
  if (answer.trim() === '')
    throw new Problem(
      'internal_error',
      `The runner gave no answer to ${request.op}. The journal of its unit says why.`,
    )
  return parseJson(answer, runnerReply, {
    errorClass: 'internal_error',
    origin: `The runner's answer to ${request.op}`,
  })
}
