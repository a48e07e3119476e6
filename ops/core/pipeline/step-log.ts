import { Batch } from '#ops/base/files/batch'
import { writeAll } from '#ops/base/files/write-all'
import { closeSync, openSync } from 'node:fs'
import type { LogStream } from './step.ts'

/** How many bytes the step logs of one run may still take. Below zero: the log was cut. */
export interface LogRoom {
  left: number
}

const cutLine = '(The log is cut here: the logs of this run reached their size limit.)'

/** The log file of one step. All steps of a run share the same room. */
export class StepLog {
  readonly #file: number
  readonly #room: LogRoom
  readonly #batch: Batch<string>
  readonly #onError: (error: unknown) => void

  /**
   * @param onError called when lines of a program could not be written
   * @throws the system's error when the file cannot be opened
   */
  constructor(path: string, room: LogRoom, onError: (error: unknown) => void) {
    this.#file = openSync(path, 'a', 0o644)
    this.#room = room
    this.#onError = onError
    this.#batch = new Batch({
      write: (lines) => writeAll(this.#file, Buffer.from(`${lines.join('\n')}\n`)),
      onError,
    })
  }

  /**
   * Output of programs is cut when there is no room left. Lines of HQ itself are few, and why a step failed is among
   * them, so they are always kept, and written at once.
   * @param text one line without what is secret
   * @returns the line that is kept; null when there was no room
   * @throws the system's error when it cannot be written whole
   */
  write(text: string, stream: LogStream): string | null {
    const mayBeCut = stream !== 'hq'
    if (mayBeCut && this.#room.left < 0) return null
    const bytes = Buffer.byteLength(text) + 1
    const line = mayBeCut && bytes > this.#room.left ? cutLine : text
    this.#room.left -= bytes
    this.#batch.add(line, bytes)
    if (!mayBeCut) this.#batch.flush()
    return line
  }

  close(): void {
    try {
      this.#batch.flush()
    } catch (error) {
      this.#onError(error)
    }
    closeSync(this.#file)
  }
}
