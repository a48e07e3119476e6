import { StringDecoder } from 'node:string_decoder'

/** Longest line that is kept whole, in characters; a longer one is cut into several, so that memory stays bounded. */
const maxLine = 16 * 1024

/** Cuts a byte stream into lines: UTF-8 across chunk borders, CR and CRLF as line ends, bounded length. */
export class LineSplitter {
  readonly #onLine: (text: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    this.#feed(this.#decoder.write(chunk))
  }

  /** Gives out what is left without a line end. */
  end(): void {
    this.#feed(this.#decoder.end())
    if (this.#rest !== '') this.#onLine(this.#rest)
    this.#rest = ''
  }

  #feed(text: string): void {
    const parts = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = parts.pop() ?? ''
    for (const part of parts) this.#give(part)
    while (this.#rest.length > maxLine) {
      this.#onLine(this.#rest.slice(0, maxLine))
      this.#rest = this.#rest.slice(maxLine)
    }
  }

  #give(line: string): void {
    for (let start = 0; start === 0 || start < line.length; start += maxLine)
      this.#onLine(line.slice(start, start + maxLine))
  }
}
