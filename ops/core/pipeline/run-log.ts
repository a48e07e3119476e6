import { writeAll } from '#ops/base/files/write-all'
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseRunEvent, type EventBody, type RunEvent } from '#shared/events'
import { eventRedactor } from '#ops/base/redact/events'
import { followLogLines, type FollowLog } from './log-lines.ts'

/** Most bytes of log lines one run may keep; then one `log_truncated` follows, and step changes only. */
export const maxLogBytes = 256 * 1024 * 1024

/** Appends numbered events to a run's log. The number of an event is the number of its line, from 1. */
export class RunLog {
  readonly #file: number
  readonly #limit: number
  #seq = 0
  /** Length of the file: whole lines only. */
  #bytes = 0
  #truncated = false
  readonly #clean = eventRedactor()

  /** @throws the system's error when the file exists already or cannot be made: a run has one writer */
  constructor(path: string, limit: number = maxLogBytes) {
    mkdirSync(dirname(path), { recursive: true })
    this.#file = openSync(path, 'ax', 0o644)
    this.#limit = limit
  }

  /**
   * What is secret in it is taken out first.
   * @param redacted its bytes went through redaction already, with those before and after them
   * @throws the system's error (ENOSPC …) when the line cannot be written whole
   */
  append(event: EventBody, { redacted = false }: { redacted?: boolean } = {}): RunEvent | null {
    const body = redacted ? event : this.#clean(event)
    if (body.type === 'log' && this.#bytes >= this.#limit) {
      if (this.#truncated) return null
      this.#truncated = true
      return this.#write({ type: 'log_truncated', time: body.time, bytes: this.#bytes })
    }
    return this.#write(body)
  }

  #write(body: EventBody): RunEvent {
    const event = { seq: this.#seq + 1, ...body }
    const line = Buffer.from(`${JSON.stringify(event)}\n`)
    try {
      writeAll(this.#file, line)
    } catch (error) {
      ftruncateSync(this.#file, this.#bytes) // half a line would swallow the next one
      throw error
    }
    this.#seq += 1
    this.#bytes += line.length
    return event
  }

  close(): void {
    closeSync(this.#file)
  }
}

/**
 * Follows a run's log: gives batches of events behind number `after`, and ends with the run; see `followLogLines`.
 * @throws {z.ZodError|SyntaxError} when a line is not an event
 */
export async function* followRunLog(path: string, options: FollowLog): AsyncGenerator<RunEvent[]> {
  for await (const { lines } of followLogLines(path, options))
    yield lines.map((line) => parseRunEvent(JSON.parse(line.toString('utf8'))))
}
