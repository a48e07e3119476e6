import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'

/** Most bytes of a request that are read. */
const maxBytes = 32 * 1024 * 1024

const part = z.looseObject({ type: z.string(), text: z.string().optional() })
const request = z.looseObject({
  model: z.string(),
  input: z.array(
    z.looseObject({
      role: z.string().optional(),
      content: z.union([z.string(), z.array(part)]).optional(),
    }),
  ),
})

/** Texts of the messages in a `POST /v1/responses`, in their order. @throws {z.ZodError} for another body */
export const messagesOf = (body: unknown): string[] =>
  request
    .parse(body)
    .input.flatMap(({ content }) =>
      typeof content === 'string'
        ? [content]
        : [(content ?? []).map(({ text }) => text ?? '').join('')],
    )

/** @throws {SyntaxError} when the body is not JSON; {RangeError} when it is too large */
export async function readJsonBody(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new RangeError(`the request is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

/** Streams one finished assistant message like the Responses API. It counts four characters as one token. */
export function streamMessage(response: ServerResponse, text: string, inputLength: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (type: string, fields: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`)
  }
  const item = {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  }
  const [input_tokens, output_tokens] = [Math.ceil(inputLength / 4), Math.ceil(text.length / 4)]
  const usage = {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  }
  send('response.created', {
    response: { id: 'resp_1', object: 'response', status: 'in_progress', output: [] },
  })
  send('response.output_item.added', {
    output_index: 0,
    item: { ...item, status: 'in_progress', content: [] },
  })
  send('response.output_text.delta', {
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta: text,
  })
  send('response.output_item.done', { output_index: 0, item })
  send('response.completed', {
    response: { id: 'resp_1', object: 'response', status: 'completed', output: [item], usage },
  })
  response.end()
}
