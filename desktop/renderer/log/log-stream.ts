import { errorRule } from '#shared/errors'
import type { BridgeProblem, EventsRequest } from '#shared/bridge'
import { parseRunEvent } from '#shared/events'
import { problemOf } from '../bridge/bridge-error.ts'
import type { Bridge } from '../bridge/client.ts'
import { emptyLog, takeEvent, type LogState } from '../state/log-state.ts'

export type StreamState = 'live' | 'reconnecting' | 'complete' | 'stopped'
export interface LogView {
  readonly log: LogState
  readonly stream: StreamState
  readonly problem: BridgeProblem | null
  readonly version: number
}

const firstPause = 250
const longestPause = 5_000
/** Longest work on a log in one piece, and the pause between two pictures of it while it catches up; milliseconds. */
const sliceMs = 8
const catchUpMs = 100
const frameMs = 16
/** Times the same number is requested before its absence counts as a gap. */
const maxRequests = 3

/**
 * Follows the events of one run while it has listeners, and continues from the last number after a cut: nothing twice,
 * nothing left out. Events are taken in short slices, so that a log of any length leaves the page usable. Listeners are
 * called at most once a frame, and more rarely while the log catches up.
 */
export class LogStream {
  private readonly log: LogState = emptyLog()
  private readonly listeners = new Set<() => void>()
  private current: LogView = { log: this.log, stream: 'live', problem: null, version: 0 }
  /** Leaves the open connection; null while there is none. */
  private leave: (() => void) | null = null
  private retry: ReturnType<typeof setTimeout> | undefined
  private frame: ReturnType<typeof setTimeout> | undefined
  private pause = firstPause
  private missing = { after: -1, times: 0 }
  /** What has arrived and is not in the log yet, with the end of its connection once that came. */
  private arrived: { events: (readonly unknown[])[]; end: (() => void) | null } = noEvents()
  private slice: ReturnType<typeof setTimeout> | undefined

  private readonly bridge: Bridge
  private readonly run: Omit<EventsRequest, 'after'>

  constructor(bridge: Bridge, run: Omit<EventsRequest, 'after'>) {
    this.bridge = bridge
    this.run = run
  }

  readonly view = (): LogView => this.current

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    const { stream } = this.current
    const over = stream === 'complete' || stream === 'stopped'
    if (this.listeners.size === 1 && this.leave === null && !over) this.connect()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      clearTimeout(this.retry)
      this.leave?.()
    }
  }

  private connect(): void {
    let open = true
    let close: (() => void) | null = null
    const leave = (): void => {
      open = false
      this.leave = null
      clearTimeout(this.slice)
      this.slice = undefined
      this.arrived = noEvents()
      close?.()
    }
    this.leave = leave
    const end = this.bridge.events(
      { ...this.run, after: this.log.lastSeq },
      (batch) => {
        if (!open) return
        this.arrived.events.push(batch)
        this.takeSoon(leave)
      },
      (problem) => {
        if (!open) return
        this.arrived.end = () => {
          leave()
          this.ended(problem)
        }
        this.takeSoon(leave)
      },
    )
    if (open) close = end
    else end() // it ended before it had begun
  }

  private takeSoon(leave: () => void): void {
    this.slice ??= setTimeout(() => {
      this.slice = undefined
      this.takeSlice(leave)
    }, 0)
  }

  /** Takes what has arrived, until the time of a slice is over; the rest has its turn after the page. */
  private takeSlice(leave: () => void): void {
    const { arrived } = this
    const until = performance.now() + sliceMs
    try {
      let batch = arrived.events.shift()
      for (; batch !== undefined; batch = arrived.events.shift()) {
        const rest = this.take(batch, until)
        if (rest === 'missing') {
          leave()
          return this.reconnect(null)
        }
        if (rest.length > 0) arrived.events.unshift(rest)
        if (performance.now() >= until) break
      }
    } catch {
      // The only thing that throws is an event in an unexpected format.
      leave()
      return this.become('stopped', offForm(this.run.run_id))
    }
    this.pause = firstPause
    if (arrived.events.length === 0 && arrived.end !== null) return arrived.end()
    if (this.current.stream === 'live') this.publish()
    else this.become('live', null)
    if (arrived.events.length > 0) this.takeSoon(leave)
  }

  /** @returns what is left of the batch when the time is over; `missing` when a number must be requested again */
  private take(batch: readonly unknown[], until: number): readonly unknown[] | 'missing' {
    const { log } = this
    for (const [at, each] of batch.entries()) {
      if (at % 64 === 63 && performance.now() >= until) return batch.slice(at)
      const event = parseRunEvent(each)
      if (event.seq <= log.lastSeq) continue
      if (event.seq > log.lastSeq + 1) {
        const again = this.missing.after === log.lastSeq
        this.missing = { after: log.lastSeq, times: again ? this.missing.times + 1 : 1 }
        if (this.missing.times < maxRequests) return 'missing'
        log.gaps += event.seq - log.lastSeq - 1
      }
      takeEvent(log, event)
    }
    return []
  }

  private ended(problem: BridgeProblem | null): void {
    if (problem === null) this.become('complete', null)
    else if (errorRule(problem.error_class).retryable === true) this.reconnect(problem)
    else this.become('stopped', problem)
  }

  private reconnect(problem: BridgeProblem | null): void {
    this.become('reconnecting', problem)
    this.retry = setTimeout(() => this.connect(), this.pause)
    this.pause = Math.min(this.pause * 2, longestPause)
  }

  private become(stream: StreamState, problem: BridgeProblem | null): void {
    this.current = { ...this.current, stream, problem }
    this.publish()
  }

  private publish(): void {
    if (this.frame !== undefined) return
    this.frame = setTimeout(
      () => {
        this.frame = undefined
        this.log.version += 1
        this.current = { ...this.current, version: this.log.version }
        for (const listener of this.listeners) listener()
      },
      this.arrived.events.length > 0 ? catchUpMs : frameMs,
    )
  }
}

const noEvents = (): { events: (readonly unknown[])[]; end: (() => void) | null } => ({
  events: [],
  end: null,
})

const offForm = (runId: string): BridgeProblem =>
  problemOf(
    'invalid_request',
    `An event of ${runId} has an unexpected format. The log stops before it.`,
  )
