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
/** Times the same number is requested before its absence counts as a gap. */
const maxRequests = 3

/**
 * Follows the events of one run while it has listeners, and continues from the last number after a cut: nothing twice,
 * nothing left out. Listeners are called at most once a frame.
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
      close?.()
    }
    this.leave = leave
    const end = this.bridge.events(
      { ...this.run, after: this.log.lastSeq },
      (batch) => {
        if (open) this.receive(batch, leave)
      },
      (problem) => {
        if (!open) return
        leave()
        this.ended(problem)
      },
    )
    if (open) close = end
    else end() // it ended before it had begun
  }

  private receive(batch: readonly unknown[], leave: () => void): void {
    try {
      if (this.take(batch)) {
        this.pause = firstPause
        if (this.current.stream === 'live') this.publish()
        else this.become('live', null)
        return
      }
      leave()
      this.reconnect(null)
    } catch {
      // The only thing that throws is an event in an unexpected format.
      leave()
      this.become('stopped', offForm(this.run.run_id))
    }
  }

  /** @returns false when a number is missing and must be requested again */
  private take(batch: readonly unknown[]): boolean {
    const { log } = this
    for (const each of batch) {
      const event = parseRunEvent(each)
      if (event.seq <= log.lastSeq) continue
      if (event.seq > log.lastSeq + 1) {
        const again = this.missing.after === log.lastSeq
        this.missing = { after: log.lastSeq, times: again ? this.missing.times + 1 : 1 }
        if (this.missing.times < maxRequests) return false
        log.gaps += event.seq - log.lastSeq - 1
      }
      takeEvent(log, event)
    }
    return true
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
    this.frame = setTimeout(() => {
      this.frame = undefined
      this.log.version += 1
      this.current = { ...this.current, version: this.log.version }
      for (const listener of this.listeners) listener()
    }, 16)
  }
}

const offForm = (runId: string): BridgeProblem =>
  problemOf(
    'invalid_request',
    `An event of ${runId} has an unexpected format. The log stops before it.`,
  )
