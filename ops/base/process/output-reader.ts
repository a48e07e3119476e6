// Reads one stream of a command: redacted, and cut into lines.
import { redact } from '#ops/base/redact/redaction'
import { LineSplitter } from './lines.ts'

export interface ReaderOptions {
  readonly onLine: (text: string) => void
  /** Asked for each piece: false passes over it, but for the last ones, which a message may quote. */
  readonly follows: () => boolean
}

/** What stays of output that nobody follows, bytes. */
const keptBytes = 64 * 1024

/** Output that is passed over costs neither time nor memory: only what came last is redacted, at the end. */
export class OutputReader {
  readonly #options: ReaderOptions
  // On the bytes, before they are cut into lines: a secret may come in two chunks, a key over many lines.
  #redactor = redact.bytes()
  #lines: LineSplitter
  #last: Buffer[] = []
  #lastBytes = 0
  #leftOut = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#lines = new LineSplitter(options.onLine)
  }

  push(chunk: Buffer): void {
    if (this.#options.follows() && this.#last.length === 0)
      return this.#lines.push(this.#redactor.push(chunk))
    this.#last.push(chunk)
    this.#lastBytes += chunk.length
    while (this.#lastBytes - (this.#last[0]?.length ?? 0) >= keptBytes) {
      this.#lastBytes -= this.#last.shift()?.length ?? 0
      this.#leftOut = true
    }
  }

  /** Gives out what is left. */
  end(): void {
    const last = this.#leftOut ? this.#resumed() : Buffer.concat(this.#last)
    this.#lines.push(this.#redactor.push(last))
    this.#last = []
    this.#lines.push(this.#redactor.end())
    this.#lines.end()
  }

  /** From the first whole line on: half of a secret would not be found. */
  #resumed(): Buffer {
    this.#redactor = redact.bytes({ resumed: true })
    this.#lines = new LineSplitter(this.#options.onLine)
    const kept = Buffer.concat(this.#last)
    return kept.subarray(kept.indexOf(10) + 1 || kept.length)
  }
}
