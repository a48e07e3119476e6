import { eventBody, type EventBody } from '#shared/events'
import { redact } from '#ops/base/redact/redaction'

/** Longest event line that is taken, in bytes. A result document with thousands of checks is far below. */
const maxEventBytes = 8 * 1024 * 1024

/**
 * Cuts the event pipe of an action into events.
 * @param onEvent one event as the action meant it
 * @param onBad why a line is not an event; nothing is guessed from it
 * @returns push: give it a chunk; end: the pipe is closed
 */
export function eventLines(
  onEvent: (event: EventBody) => void,
  onBad: (why: string) => void,
): { push(chunk: Buffer): void; end(): void } {
  let parts: Buffer[] = []
  let size = 0
  const give = (): void => {
    const tooLong = size > maxEventBytes
    const text = tooLong ? '' : Buffer.concat(parts).toString('utf8')
    parts = []
    size = 0
    if (tooLong) return onBad(`an event line is longer than ${maxEventBytes} bytes`)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      // The parser's message adds nothing to the line itself.
      return onBad(`a line on the event pipe is not JSON: ${redact.text(text).slice(0, 200)}`)
    }
    const parsed = eventBody.safeParse(value)
    if (!parsed.success) {
      const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'type')
      return onBad(`an event does not match its schema at ${fields.join(', ')}`)
    }
    onEvent(parsed.data)
  }
  const keep = (piece: Buffer): void => {
    size += piece.length
    if (size <= maxEventBytes) parts.push(piece)
    else parts = []
  }
  return {
    push: (chunk) => {
      let rest = chunk
      for (let cut = rest.indexOf(10); cut >= 0; cut = rest.indexOf(10)) {
        keep(rest.subarray(0, cut))
        give()
        rest = rest.subarray(cut + 1)
      }
      if (rest.length > 0) keep(Buffer.from(rest))
    },
    end: () => {
      if (size > 0) give()
    },
  }
}
