import { isUtf8 } from 'node:buffer'
import type { Range } from './literal-matcher.ts'

/** Longest unfinished line that is held back, in bytes. */
const maxHeld = 64 * 1024
/** Longest match of a format that may lie across the cut of an overlong line, in characters. */
const longestFormat = 16 * 1024

interface Cleaner {
  clean(text: string): string
  find(text: string): readonly Range[]
  /** Length of the longest known secret in any form. */
  readonly longest: number
}

const empty = Buffer.alloc(0)

/**
 * Redacts a stream of bytes that may be cut anywhere, inside of a secret or of a character. Whole lines go through at
 * once; an unfinished one waits for its end. A line without end is passed on in parts; what is searched overlaps.
 */
export class ByteRedactor {
  readonly #cleaner: Cleaner
  #held: Buffer[] = []
  #heldBytes = 0

  constructor(cleaner: Cleaner) {
    this.#cleaner = cleaner
  }

  push(chunk: Uint8Array): Buffer {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lineEnd = Math.max(bytes.lastIndexOf(10), bytes.lastIndexOf(13)) + 1
    if (lineEnd === 0) {
      this.#hold(bytes)
      return this.#heldBytes > this.#limit ? this.#letGo() : empty
    }
    const whole = this.#take(bytes.subarray(0, lineEnd))
    this.#hold(bytes.subarray(lineEnd))
    const out = this.#cleaned(whole)
    return this.#heldBytes > this.#limit ? Buffer.concat([out, this.#letGo()]) : out
  }

  end(): Buffer {
    return this.#heldBytes === 0 ? empty : this.#cleaned(this.#take(empty))
  }

  get #limit(): number {
    return maxHeld + 2 * this.#cleaner.longest
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#held.push(Buffer.from(bytes)) // the caller may use its memory again
    this.#heldBytes += bytes.length
  }

  #take(more: Buffer): Buffer {
    const all = this.#held.length === 0 ? more : Buffer.concat([...this.#held, more])
    this.#held = []
    this.#heldBytes = 0
    return all
  }

  #cleaned(bytes: Buffer): Buffer {
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'
    const text = bytes.toString(encoding)
    const clean = this.#cleaner.clean(text)
    return clean === text ? bytes : Buffer.from(clean, encoding)
  }

  /** Gives out the beginning of an overlong line, cut where no match lies across the cut. */
  #letGo(): Buffer {
    const bytes = this.#take(empty)
    // Cut characters would make the whole part unreadable as UTF-8: each byte is read as a character instead.
    const text = bytes.toString('latin1')
    let cut = text.length - longestFormat - this.#cleaner.longest
    for (const { start, end } of this.#cleaner.find(text))
      if (start < cut && end > cut) cut = start > 0 ? start : end
    // Not inside of a character: its bytes after the first are 10xxxxxx.
    while (cut > 0 && cut < bytes.length && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1
    this.#hold(bytes.subarray(cut))
    return this.#cleaned(bytes.subarray(0, cut))
  }
}
