import { toProblem, type Problem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import { redact } from '#ops/base/redact/redaction'

/**
 * The events of one run. An event that cannot be delivered must not keep the result from being written; `broken` then
 * fails the run instead.
 */
export class GuardedEvents {
  readonly #emit: (event: EventBody) => void
  #broken: Problem | null = null

  constructor(emit: (event: EventBody) => void) {
    this.#emit = emit
  }

  /** Why the first event that was lost could not be delivered; null when none was lost. */
  get broken(): Problem | null {
    return this.#broken
  }

  emit(event: EventBody): void {
    try {
      this.#emit(event)
    } catch (error) {
      this.#broken ??= toProblem(error)
    }
  }

  /** A line of HQ itself that belongs to no step, without what is secret. */
  say(text: string): void {
    this.emit({
      type: 'log',
      time: new Date().toISOString(),
      step: null,
      stream: 'hq',
      text: redact.text(text),
    })
  }
}
