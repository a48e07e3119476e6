/** Reads server-sent events. */
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { Problem } from '../errors.ts'

/** Longest message, characters. A log line is far shorter; a result document may be long. */
const maxMessage = 4 * 1024 * 1024

export type StreamMessage = EventSourceMessage

/**
 * Reads a `text/event-stream` answer to its end.
 * @param onChunk called after each piece of the answer, also when it held no whole message
 * @returns batches: the messages of one piece of the answer
 * @throws {Problem} `version_mismatch` for a message that is too long; the error of `fetch` when the connection breaks
 */
export async function* readMessages(
  body: ReadableStream<Uint8Array> | null,
  onChunk: () => void = () => undefined,
): AsyncGenerator<readonly StreamMessage[]> {
  let messages: StreamMessage[] = []
  const parser = createParser({
    maxBufferSize: maxMessage,
    onEvent: (message) => messages.push(message),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded')
        throw new Problem(
          'version_mismatch',
          `The stream holds a message of more than ${maxMessage} characters.`,
          { cause: error },
        )
    },
  })
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const chunk = (await reader?.read())?.value
    if (chunk === undefined) return
    onChunk()
    parser.feed(decoder.decode(chunk, { stream: true }))
    if (messages.length === 0) continue
    const batch = messages
    messages = []
    yield batch
  }
}
