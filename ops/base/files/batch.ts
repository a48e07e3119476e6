/** Bytes that are written at once at the latest. */
const mostBytes = 64 * 1024

export interface BatchOptions<T> {
  /** Takes them in their order. @throws the system's error when they cannot be written */
  readonly write: (items: readonly T[]) => void
  /** What `write` threw when nobody waited for it. */
  readonly onError: (error: unknown) => void
}

/**
 * Collects what comes in one piece, to write it in one piece: thousands of lines of a program come together, and a
 * call of the system for each costs more than all else.
 */
export class Batch<T> {
  readonly #options: BatchOptions<T>
  #items: T[] = []
  #bytes = 0

  constructor(options: BatchOptions<T>) {
    this.#options = options
  }

  /**
   * It is written when the current turn of the loop ends, at the latest.
   * @param bytes its size, roughly
   * @throws what `write` throws
   */
  add(item: T, bytes: number): void {
    if (this.#items.length === 0) queueMicrotask(() => this.#flushOrReport())
    this.#items.push(item)
    this.#bytes += bytes
    if (this.#bytes >= mostBytes) this.flush()
  }

  /** Writes all now. @throws what `write` throws; then they are lost */
  flush(): void {
    if (this.#items.length === 0) return
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    this.#options.write(items)
  }

  #flushOrReport(): void {
    try {
      this.flush()
    } catch (error) {
      this.#options.onError(error)
    }
  }
}
