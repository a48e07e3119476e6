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

export interface LogStream {
  readonly view: () => LogView
  readonly subscribe: (listener: () => void) => () => void
}

const firstPause = 250
const longestPause = 5_000
/** Times the same number may be asked for before its absence is a fact. */
const asks = 3

/**
 * Follows the events of one run while anybody listens, and goes on from the last number after a cut: nothing twice,
 * nothing left out. Listeners hear of news at most once a frame.
 */
export function logStream(
  bridge: Bridge,
  { source, run_id }: Omit<EventsRequest, 'after'>,
): LogStream {
  const log = emptyLog()
  const listeners = new Set<() => void>()
  let current: LogView = { log, stream: 'live', problem: null, version: 0 }
  let stop: (() => void) | null = null
  let retry: ReturnType<typeof setTimeout> | undefined
  let frame: ReturnType<typeof setTimeout> | undefined
  let pause = firstPause
  let missing = { after: -1, times: 0 }

  const publish = (): void => {
    if (frame !== undefined) return
    frame = setTimeout(() => {
      frame = undefined
      log.version += 1
      current = { ...current, version: log.version }
      for (const listener of listeners) listener()
    }, 16)
  }
  const become = (stream: StreamState, problem: BridgeProblem | null): void => {
    current = { ...current, stream, problem }
    publish()
  }

  /** @returns false when a number is missing and must be asked for again */
  function take(batch: readonly unknown[]): boolean {
    for (const each of batch) {
      const event = parseRunEvent(each)
      if (event.seq <= log.lastSeq) continue
      if (event.seq > log.lastSeq + 1) {
        missing = {
          after: log.lastSeq,
          times: missing.after === log.lastSeq ? missing.times + 1 : 1,
        }
        if (missing.times < asks) return false
        log.gaps += event.seq - log.lastSeq - 1
      }
      takeEvent(log, event)
    }
    return true
  }

  function start(): void {
    let mine = true
    let close: (() => void) | null = null
    const leave = (): void => {
      mine = false
      stop = null
      close?.()
    }
    stop = leave
    const end = bridge.events(
      { source, run_id, after: log.lastSeq },
      (batch) => {
        if (!mine) return
        try {
          if (take(batch)) {
            pause = firstPause
            if (current.stream !== 'live') become('live', null)
            else publish()
            return
          }
          leave()
          again(null)
        } catch {
          // The only thing that throws is an event off the agreed form.
          leave()
          become(
            'stopped',
            problemOf(
              'invalid_request',
              `An event of ${run_id} does not have the agreed form. The log stops before it.`,
            ),
          )
        }
      },
      (problem) => {
        if (!mine) return
        leave()
        if (problem === null) become('complete', null)
        else if (errorRule(problem.error_class).retryable === true) again(problem)
        else become('stopped', problem)
      },
    )
    if (mine) close = end
    else end() // it ended before it had begun
  }

  function again(problem: BridgeProblem | null): void {
    become('reconnecting', problem)
    retry = setTimeout(start, pause)
    pause = Math.min(pause * 2, longestPause)
  }

  return {
    view: () => current,
    subscribe(listener) {
      listeners.add(listener)
      if (
        listeners.size === 1 &&
        stop === null &&
        current.stream !== 'complete' &&
        current.stream !== 'stopped'
      )
        start()
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearTimeout(retry)
        stop?.()
      }
    },
  }
}
