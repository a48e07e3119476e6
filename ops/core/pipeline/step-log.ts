import { writeAll } from '#ops/base/files/write-all'
import { closeSync, openSync } from 'node:fs'
import type { LogStream } from './step.ts'

/** How many bytes the step logs of one run may still take. Below zero: the log was cut. */
export interface LogRoom {
  left: number
}

const cutLine = '(The log is cut here: the logs of this run reached their size limit.)\n'

/** The log file of one step. All steps of a run share the same room. */
export class StepLog {
  readonly #file: number
  readonly #room: LogRoom

  /** @throws the system's error when the file cannot be opened */
  constructor(path: string, room: LogRoom) {
    this.#file = openSync(path, 'a', 0o644)
    this.#room = room
  }

  /**
   * Output of programs is cut when there is no room left. Lines of HQ itself are few, and why a step failed is among
   * them, so they are always kept.
   * @param text one line without what is secret
   * @throws the system's error when it cannot be written whole
   */
  write(text: string, stream: LogStream): void {
    const mayBeCut = stream !== 'hq'
    if (mayBeCut && this.#room.left < 0) return
    const bytes = Buffer.byteLength(text) + 1
    const cut = mayBeCut && bytes > this.#room.left
    this.#room.left -= bytes
    const line = Buffer.from(cut ? cutLine : `${text}\n`)
    writeAll(this.#file, line)
  }

  close(): void {
    closeSync(this.#file)
  }
}
