/** Follows the lines of a run's log as bytes. The number of an event is the number of its line, from 1. */
import { watch } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasCode } from '#shared/system-error'

const chunkBytes = 64 * 1024
/** Pause at the end of a log that grows, milliseconds: what is written meanwhile is given as one batch. */
const batchMs = 30
const newLine = 10

/** Whole lines of a log, in order. */
export interface LogLines {
  /** Number of the first line. */
  readonly first: number
  /** Without their line ends. Their bytes are overwritten when the next batch is read. */
  readonly lines: readonly Buffer[]
  /** Nothing more can be read now. */
  readonly atEnd: boolean
}

export interface FollowLog {
  /** Number of the last line that the caller has. */
  readonly after: number
  /** Called only when everything readable was given; its answer must be from before that reading began. */
  readonly ended: () => boolean
  readonly signal: AbortSignal
}

/**
 * The lines of a log behind number `after`: waits for more, and ends when `ended()` is true and nothing is left.
 * Works before the file exists. A half-written last line is given once it is whole.
 */
export async function* followLogLines(
  path: string,
  { after, ended, signal }: FollowLog,
): AsyncGenerator<LogLines> {
  const reader = new LineReader(path)
  try {
    while (!signal.aborted) {
      const over = ended()
      let gave = false
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
        const known = Math.max(0, after - batch.first + 1)
        if (known < batch.lines.length) {
          gave = true
          yield { ...batch, first: batch.first + known, lines: batch.lines.slice(known) }
        }
        if (signal.aborted) return
        if (batch.atEnd) break
      }
      if (over && !gave) return
      if (!gave) await change(dirname(path), signal)
      else if (!over) await delay(batchMs, undefined, { signal }).catch(() => undefined) // aborted
    }
  } finally {
    await reader.close()
  }
}

/**
 * Reads a growing file in chunks and cuts them into lines. A line without its end is read again from its beginning:
 * its writer takes it back when the disk is full, and writes another one in its place.
 */
class LineReader {
  readonly #path: string
  #buffer = Buffer.alloc(chunkBytes)
  #file: FileHandle | null = null
  /** Where the next line begins. */
  #position = 0
  /** Lines that were cut so far. */
  #count = 0

  constructor(path: string) {
    this.#path = path
  }

  /** @returns the lines that end in the next chunk; null when there is no more whole line to read now */
  async next(): Promise<LogLines | null> {
    this.#file ??= await openIfThere(this.#path)
    if (this.#file === null) return null
    const found = await this.#wholeLines(this.#file)
    if (found === null) return null
    const { data, atEnd } = found
    const lines: Buffer[] = []
    let from = 0
    for (let to = data.indexOf(newLine); to >= 0; to = data.indexOf(newLine, from)) {
      lines.push(data.subarray(from, to))
      from = to + 1
    }
    this.#position += data.length
    const first = this.#count + 1
    this.#count += lines.length
    return { first, lines, atEnd }
  }

  /** At least one line, each with its end. The buffer grows to hold a line that is longer than it. */
  async #wholeLines(file: FileHandle): Promise<{ data: Buffer; atEnd: boolean } | null> {
    for (;;) {
      const size = this.#buffer.length
      const { bytesRead } = await file.read(this.#buffer, 0, size, this.#position)
      const end = this.#buffer.subarray(0, bytesRead).lastIndexOf(newLine) + 1
      if (end > 0) return { data: this.#buffer.subarray(0, end), atEnd: bytesRead < size }
      if (bytesRead < size) return null
      this.#buffer = Buffer.alloc(size * 2)
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
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

/** Resolves when something in the folder changed, at the latest after 200 ms: a notification can be missed. */
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
      watcher = undefined // the folder does not exist yet, or the system has no watches left: the timer resolves
    }
  })
}
