import { writeAll } from '#ops/base/files/write-all'
import { hasCode } from '#shared/system-error'
import { closeSync, ftruncateSync, mkdirSync, openSync, watch } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseRunEvent, type EventBody, type RunEvent } from '#shared/events'
import { eventRedactor } from '#ops/base/redact/events'

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

const chunkBytes = 256 * 1024

/**
 * Follows a run's log: gives batches of events after number `after`, waits for more, and ends when `ended()` is true
 * and nothing is left to read. Works before the file exists. A half-written last line is given once it is whole.
 *
 * @param ended called before each read: true when the run had ended by then
 */
export async function* followRunLog(
  path: string,
  { after, ended, signal }: { after: number; ended: () => boolean; signal: AbortSignal },
): AsyncGenerator<RunEvent[]> {
  let file: FileHandle | null = null
  let position = 0
  let line = 0
  let rest = Buffer.alloc(0)
  const buffer = Buffer.alloc(chunkBytes)
  try {
    while (!signal.aborted) {
      const over = ended()
      file ??= await openIfThere(path)
      let gave = false
      for (;;) {
        if (file === null || signal.aborted) break
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, position)
        if (bytesRead === 0) break
        position += bytesRead
        let data =
          rest.length > 0
            ? Buffer.concat([rest, buffer.subarray(0, bytesRead)])
            : buffer.subarray(0, bytesRead)
        const batch: RunEvent[] = []
        for (let cut = data.indexOf(10); cut >= 0; cut = data.indexOf(10)) {
          line += 1
          if (line > after) batch.push(parseRunEvent(JSON.parse(data.toString('utf8', 0, cut))))
          data = data.subarray(cut + 1)
        }
        rest = Buffer.from(data)
        if (batch.length > 0) {
          gave = true
          yield batch
        }
      }
      if (over && !gave) return
      if (!gave) await change(dirname(path), signal)
    }
  } finally {
    await file?.close()
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/**
 * Resolves when something in the folder changed, at the latest after 200 ms: a notification can be missed, a read
 * cannot.
 */
function change(folder: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let watcher: ReturnType<typeof watch> | undefined
    const done = (): void => {
      clearTimeout(timer)
      watcher?.close()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, 200)
    signal.addEventListener('abort', done, { once: true })
    try {
      watcher = watch(folder, done)
      watcher.on('error', done)
    } catch {
      watcher = undefined // the folder does not exist yet, or the system has no watches left: the timer remains
    }
  })
}
