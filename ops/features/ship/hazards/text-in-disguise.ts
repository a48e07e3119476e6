// Is content that git takes for binary in fact a text? Then no diff shows what it says.
import { extname } from 'node:path'

type Decoder = InstanceType<typeof TextDecoder>

/** Longest first line that is looked at, in characters. */
const maxFirstLine = 4096
/** A text has at most this share of characters that no text has. */
const strangeShare = 0.01

/** A file whose content is not in the diff. */
interface UnshownFile {
  readonly path: string
  readonly executable: boolean
  /** Bytes. */
  readonly size: number
}

/**
 * Reads the content of a file in pieces, so that its size does not matter. A shell skips zero bytes: a few of them, or
 * megabytes, hide a text from every diff and change nothing of what it does. A tar archive also looks like text between
 * zero bytes; it is not one.
 */
export class TextDetector {
  readonly #file: UnshownFile
  #start = Buffer.alloc(0)
  #decoder: Decoder | null = null
  #firstLine = ''
  #characters = 0
  #strange = 0

  constructor(file: UnshownFile) {
    this.#file = file
  }

  push(bytes: Buffer): void {
    if (this.#decoder === null) {
      this.#start = Buffer.concat([this.#start, bytes])
      if (this.#start.length < 2) return
      this.#decoder = decoderOf(this.#start)
      this.#take(this.#decoder.decode(this.#start, { stream: true }))
      this.#start = this.#start.subarray(0, 2)
    } else if (!this.#cannotBeText) this.#take(this.#decoder.decode(bytes, { stream: true }))
  }

  /** Call it once, after the last piece. */
  isText(): boolean {
    if (this.#start.toString('latin1') === '#!') return true
    if (this.#file.executable && isReadable(this.#firstLine)) return true
    return (
      extname(this.#file.path).toLowerCase() !== '.tar' &&
      this.#characters > 0 &&
      this.#strange <= this.#characters * strangeShare
    )
  }

  /** A character takes one byte or more, so the rest of the file cannot change it any more. */
  get #cannotBeText(): boolean {
    return this.#strange > this.#file.size * strangeShare
  }

  #take(text: string): void {
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code === 0) continue
      this.#characters += 1
      if (isStrange(code)) this.#strange += 1
      if (this.#firstLine.length < maxFirstLine && !this.#firstLine.endsWith('\n'))
        this.#firstLine += text[at]
    }
  }
}

function decoderOf(start: Buffer): Decoder {
  const mark = start.subarray(0, 2).toString('hex')
  if (mark === 'fffe') return new TextDecoder('utf-16le')
  return new TextDecoder(mark === 'feff' ? 'utf-16be' : 'utf-8')
}

/** Control characters that no text has, and what stands for bytes that are of no character. */
const isStrange = (code: number): boolean =>
  (code < 0x20 && !(code >= 0x09 && code <= 0x0d) && code !== 0x1b) ||
  code === 0x7f ||
  code === 0xfffd

/** A shell runs a file that may be executed line by line, whatever follows its first line. */
const isReadable = (line: string): boolean =>
  line.trim() !== '' && !Array.from(line).some((each) => isStrange(each.charCodeAt(0)))
