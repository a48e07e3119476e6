import { writeAll } from '#ops/base/files/write-all'
import { Batch } from '#ops/base/files/batch'
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseRunEvent, type EventBody, type RunEvent } from '#shared/events'
import { eventRedactor, type Unredacted } from '#ops/base/redact/events'
import { ofProgram } from './events-out.ts'
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
  readonly #batch: Batch<Unredacted>
  /** Why lines that came before could not be written. */
  #failure: { readonly error: unknown } | null = null

  /** @throws the system's error when the file exists already or cannot be made: a run has one writer */
  constructor(path: string, limit: number = maxLogBytes) {
    mkdirSync(dirname(path), { recursive: true })
    this.#file = openSync(path, 'ax', 0o644)
    this.#limit = limit
    this.#batch = new Batch({
      write: (events) => this.#write(events),
      onError: (error) => {
        this.#failure ??= { error }
      },
    })
  }

  /**
   * What is secret in it is taken out first. Lines of a program that come together are written together; anything else
   * is written at once.
   * @param redacted its bytes went through redaction already, with those before and after them
   * @throws the system's error (ENOSPC …) when this event, or one before it, could not be written whole
   */
  append(event: EventBody, { redacted = false }: { redacted?: boolean } = {}): void {
    const isOfProgram = ofProgram(event)
    this.#batch.add({ event, redacted }, isOfProgram ? event.text.length : 0)
    if (!isOfProgram) this.#batch.flush()
    if (this.#failure === null) return
    const { error } = this.#failure
    this.#failure = null
    throw error
  }

  #write(events: readonly Unredacted[]): void {
    let [seq, bytes, truncated] = [this.#seq, this.#bytes, this.#truncated]
    const lines: string[] = []
    const put = (body: EventBody): void => {
      seq += 1
      const line = `${JSON.stringify({ seq, ...body })}\n`
      lines.push(line)
      bytes += Buffer.byteLength(line)
    }
    for (const body of this.#clean(events)) {
      if (body.type !== 'log' || bytes < this.#limit) put(body)
      else if (!truncated) {
        truncated = true
        put({ type: 'log_truncated', time: body.time, bytes })
      }
    }
    try {
      writeAll(this.#file, Buffer.from(lines.join('')))
    } catch (error) {
      ftruncateSync(this.#file, this.#bytes) // half a line would swallow the next one
      throw error
    }
    this.#seq = seq
    this.#bytes = bytes
    this.#truncated = truncated
  }

  /** @throws the system's error when the last lines cannot be written */
  close(): void {
    try {
      this.#batch.flush()
    } finally {
      closeSync(this.#file)
    }
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
