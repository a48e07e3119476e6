import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messagesOf, readJsonBody, streamMessage } from '#ops/demo/responses-stream'
import { bindingsIn, scriptedAnswer } from '#ops/demo/scripted-review'
import type { ReviewBindings } from '#ops/ship/review-prompt'
import type { ReviewAnswer } from '#shared/verdict'

/** What the reviewer does with one request. */
export type Script = (bindings: ReviewBindings, request: { readonly prompt: string; readonly authorization: string | null }) =>
  Promise<Reply> | Reply
export type Reply = { readonly text: string } | { readonly status: number } | 'hang'

export interface ResponsesApi {
  readonly base_url: string
  /** Requests so far. */
  calls(): number
  script(next: Script): void
  close(): Promise<void>
}

export const approve: Script = (bindings) => ({ text: JSON.stringify(scriptedAnswer(bindings)) })
/** An approval with some of its fields replaced. */
export const answerWith = (change: Partial<Record<keyof ReviewAnswer, unknown>> & Record<string, unknown>): Script => (bindings) => ({ text: JSON.stringify({ ...scriptedAnswer(bindings), ...change }) })

/** A loopback Responses API whose answers the test writes. The real Codex CLI talks to it. */
export async function startResponsesApi(): Promise<ResponsesApi> {
  let calls = 0
  let current: Script = approve
  const server = createServer((incoming, response) => {
    void (async () => {
      if (incoming.url !== '/v1/responses') return response.writeHead(404).end()
      calls += 1
      const messages = messagesOf(await readJsonBody(incoming))
      const bindings = bindingsIn(messages)
      if (!bindings) throw new Error('the prompt has no bindings')
      const reply = await current(bindings, { prompt: messages.join('\n'), authorization: incoming.headers.authorization ?? null })
      if (reply === 'hang') return undefined
      if ('status' in reply) return response.writeHead(reply.status, { 'content-type': 'application/json' }).end('{"error":{"message":"refused by the test","type":"test"}}')
      return streamMessage(response, reply.text, 4)
    })().catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return {
    base_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls: () => calls,
    script: (next) => { current = next },
    close: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections() }),
  }
}
