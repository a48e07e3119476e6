import { createParser } from 'eventsource-parser'

export interface StreamMessage {
  readonly event: string | undefined
  readonly data: string
}

/**
 * Reads a `text/event-stream` answer to its end, handing over the messages of each network chunk together.
 * @throws {DOMException|TypeError} when the connection breaks or is aborted
 */
export async function readEventStream(
  body: ReadableStream<Uint8Array>,
  onMessages: (messages: readonly StreamMessage[]) => void,
): Promise<void> {
  let messages: StreamMessage[] = []
  const parser = createParser({ onEvent: ({ event, data }) => messages.push({ event, data }) })
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    parser.feed(decoder.decode(value, { stream: true }))
    if (messages.length === 0) continue
    const batch = messages
    messages = []
    onMessages(batch)
  }
}
