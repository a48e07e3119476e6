// A failure or skip while its element is read: its first line is kept.
import type { XmlTag } from './xml-events.ts'
import type { Note } from './open-case.ts'

/** Text that is searched for its first line, in characters. */
const maxSearched = 4000

export class OpenNote {
  readonly frame = 'note'
  readonly #kind: Note['kind']
  readonly #type: string
  readonly #message: string
  #text = ''

  constructor(kind: Note['kind'], { attributes }: XmlTag) {
    this.#kind = kind
    this.#type = attributes.get('type') ?? ''
    this.#message = firstLine(attributes.get('message') ?? '')
  }

  text(piece: string): void {
    if (this.#message === '' && this.#text.length < maxSearched)
      this.#text = (this.#text + piece.slice(0, maxSearched)).trimStart()
  }

  close(): Note {
    return { kind: this.#kind, type: this.#type, message: this.#message || firstLine(this.#text) }
  }
}

const firstLine = (text: string): string =>
  text
    .split(/\r?\n/)
    .find((line) => line.trim() !== '')
    ?.trim() ?? ''
