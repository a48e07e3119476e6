// What a program printed, for a message about its failure.
import { firstError } from './first-error.ts'

/** Characters that are searched for the first error: it stands near the start. */
const searched = 256 * 1024
/** Last lines that are kept. */
const tailLines = 20
/** Characters of a line that are kept. */
const lineLength = 500

/** Keeps the start and the last lines of a program's output, both streams as they come. */
export class ProgramOutput {
  #head = ''
  readonly #tail: string[] = []

  readonly take = (text: string): void => {
    if (this.#head.length < searched) this.#head += `${text}\n`
    if (text.trim() === '') return
    this.#tail.push(text.slice(0, lineLength))
    if (this.#tail.length > tailLines) this.#tail.shift()
  }

  /** False once only the last lines still matter. */
  readonly wantsMore = (): boolean => this.#head.length < searched

  /** The program's own first error; its last line where none has a known form; null: it printed nothing. */
  get firstError(): string | null {
    return firstError(this.#head)?.text ?? null
  }

  /** Oldest first. */
  get lastLines(): readonly string[] {
    return this.#tail
  }
}
