import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messagesOf, readJsonBody, streamMessage } from '#ops/cli/demo/responses-stream'
import { bindingsIn, scriptedAnswer } from '#ops/cli/demo/scripted-review'
import type { ReviewBindings } from '#ops/features/ship/review/review-prompt'
import type { ReviewAnswer } from '#shared/verdict'

/** What the reviewer does with one request. */
export type Script = (
  bindings: ReviewBindings,
  request: { readonly prompt: string; readonly authorization: string | null },
) => Promise<Reply> | Reply
export type Reply = { readonly text: string } | { readonly status: number } | 'hang'

/** What the implementer does: a command it runs through its shell tool, or the words it ends with. */
export type Work = { readonly command: string } | { readonly text: string } | 'hang'

export interface ResponsesApi {
  readonly base_url: string
  /** Requests of reviewers so far. */
  calls(): number
  script(next: Script): void
  /** Answers to requests that are no review, one turn each: `turn` counts from 1 within one conversation. */
  implement(next: (turn: number, prompt: string) => Work): void
  close(): Promise<void>
}

export const approve: Script = (bindings) => ({ text: JSON.stringify(scriptedAnswer(bindings)) })
/** An approval with some of its fields replaced. */
export const answerWith =
  (change: Partial<Record<keyof ReviewAnswer, unknown>> & Record<string, unknown>): Script =>
  (bindings) => ({ text: JSON.stringify({ ...scriptedAnswer(bindings), ...change }) })

/** Streams one call of the CLI's shell tool, as the Responses API does. */
function streamCall(response: ServerResponse, turn: number, cmd: string): void {
  const send = (type: string, fields: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`)
  }
  const item = {
    type: 'function_call',
    id: `fc_${turn}`,
    call_id: `call_${turn}`,
    name: 'exec_command',
    arguments: JSON.stringify({ cmd }),
    status: 'completed',
  }
  const usage = {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2,
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  send('response.created', {
    response: { id: `resp_${turn}`, object: 'response', status: 'in_progress', output: [] },
  })
  send('response.output_item.added', { output_index: 0, item })
  send('response.output_item.done', { output_index: 0, item })
  send('response.completed', {
    response: {
      id: `resp_${turn}`,
      object: 'response',
      status: 'completed',
      output: [item],
      usage,
    },
  })
  response.end()
}

/** A loopback Responses API whose answers the test writes. The real Codex CLI talks to it. */
export async function startResponsesApi(): Promise<ResponsesApi> {
  let calls = 0
  let current: Script = approve
  let implementer: (turn: number, prompt: string) => Work = () => {
    throw new Error('the prompt has no bindings, and no implementer is scripted')
  }
  const server = createServer((incoming, response) => {
    void (async () => {
      if (incoming.url !== '/v1/responses') return response.writeHead(404).end()
      const body = await readJsonBody(incoming)
      const messages = messagesOf(body)
      const bindings = bindingsIn(messages)
      if (!bindings) {
        const turn =
          (body as { input: { type?: string }[] }).input.filter(
            ({ type }) => type === 'function_call_output',
          ).length + 1
        const work = implementer(turn, messages.join('\n'))
        if (work === 'hang') return undefined
        return 'text' in work
          ? streamMessage(response, work.text, 4)
          : streamCall(response, turn, work.command)
      }
      calls += 1
      const reply = await current(bindings, {
        prompt: messages.join('\n'),
        authorization: incoming.headers.authorization ?? null,
      })
      if (reply === 'hang') return undefined
      if ('status' in reply)
        return response
          .writeHead(reply.status, { 'content-type': 'application/json' })
          .end('{"error":{"message":"refused by the test","type":"test"}}')
      return streamMessage(response, reply.text, 4)
    })().catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    base_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls: () => calls,
    script: (next) => {
      current = next
    },
    implement: (next) => {
      implementer = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
