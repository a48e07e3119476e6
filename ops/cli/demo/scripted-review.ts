import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReviewAnswer } from '#shared/verdict'
import { messageOf } from '#shared/system-error'
import {
  bindingsMark,
  reviewBindings,
  type ReviewBindings,
} from '#ops/features/ship/review/review-prompt'
import { messagesOf, readJsonBody, streamMessage } from './responses-stream.ts'

/**
 * The bindings that a ship's prompt states. Read from the first line with the mark: what follows later is the diff.
 * @returns null when the messages hold no such prompt
 */
export function bindingsIn(messages: readonly string[]): ReviewBindings | null {
  const line = messages
    .flatMap((message) => message.split('\n'))
    .find((each) => each.startsWith(bindingsMark))
  return line === undefined
    ? null
    : reviewBindings.parse(JSON.parse(line.slice(bindingsMark.length)))
}

/** The answer to every change: an approval that says that nobody has read the change. */
export function scriptedAnswer({ files, ...echo }: ReviewBindings): ReviewAnswer {
  return {
    verdict: 'APPROVED',
    ...echo,
    files_reviewed: files,
    findings: [],
    summary: 'Scripted (demo): this answer is generated and nobody has read the change.',
  }
}

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const refuse = (status: number, message: string): void => {
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { message, type: 'invalid_request_error' } }))
  }
  if (incoming.method !== 'POST' || incoming.url !== '/v1/responses')
    return refuse(404, 'The scripted review answers POST /v1/responses and nothing else.')
  try {
    const messages = messagesOf(await readJsonBody(incoming))
    const bindings = bindingsIn(messages)
    if (!bindings)
      return refuse(
        400,
        'The scripted review answers the review prompt of a ship and nothing else.',
      )
    streamMessage(response, JSON.stringify(scriptedAnswer(bindings)), messages.join('').length)
  } catch (error) {
    refuse(400, `The request cannot be read: ${messageOf(error)}`)
  }
}

export interface ScriptedReview {
  readonly base_url: string
  close(): Promise<void>
}

/**
 * A Responses API on loopback for the demo. The real Codex CLI sends it the review prompt of a ship, and it
 * approves every change. Only the settings of a sandbox accept it, and its verdicts are labelled "scripted (demo)".
 *
 * @param port 0 takes a free one; the demo keeps its port, because verdicts name the address that they came from
 */
export async function startScriptedReview(port = 0): Promise<ScriptedReview> {
  const server = createServer((incoming, response) => {
    void answer(incoming, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return {
    base_url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
