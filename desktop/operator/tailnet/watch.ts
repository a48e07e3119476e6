/** Reads what Tailscale says, at most as often as its callers need it; several of them share one reading. */
import { readTailnet, type Tailnet } from '#ops/platform/tailnet/client'
import { readingOf, type TailnetReading } from './reading.ts'

export interface TimedReading {
  readonly reading: TailnetReading
  /** Milliseconds since the epoch. */
  readonly at: number
}

export class TailnetWatch {
  readonly #ask: () => Promise<Tailnet>
  #last: TimedReading | null = null
  #asking: Promise<TimedReading> | null = null

  /** @param ask requests the status once; a failure is a state and no exception */
  constructor(ask: () => Promise<Tailnet> = () => readTailnet()) {
    this.#ask = ask
  }

  /** The last reading, however old; null before the first. */
  last(): TailnetReading | null {
    return this.#last?.reading ?? null
  }

  /** @param maxAgeMs a reading that is younger is taken as it is, milliseconds */
  async read(maxAgeMs: number): Promise<TimedReading> {
    if (this.#last !== null && Date.now() - this.#last.at <= maxAgeMs) return this.#last
    this.#asking ??= this.#readOnce().finally(() => {
      this.#asking = null
    })
    return await this.#asking
  }

  async #readOnce(): Promise<TimedReading> {
    const asked = Date.now()
    const reading = readingOf(await this.#ask())
    // What says who answers is as old as its request; a failure is as old as its end.
    this.#last = { reading, at: reading.state === 'running' ? asked : Date.now() }
    return this.#last
  }
}
