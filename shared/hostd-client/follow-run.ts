/** Follows the events of a run through any number of broken connections. */
import { hostdPaths, pathWith } from '../hostd-paths.ts'
import { z } from 'zod'
import { Problem, toProblem, type ErrorClass } from '../errors.ts'
import { parseRunEvent, type RunEvent } from '../events.ts'
import { runStatus, type RunStatus } from '../run.ts'
import type { Connect, HostdAddress } from './address.ts'
import { readMessages, type StreamMessage } from './messages.ts'
import { mismatch, requestAnswer } from './request.ts'

/** Longest wait for a connection, milliseconds. */
const connectMs = 15_000
/** Longest silence, milliseconds: three of hostd's heartbeats. The connection is dead then. */
const silenceMs = 45_000
/** First and longest pause between two connections, milliseconds. */
const firstPauseMs = 250
const longestPauseMs = 10_000
/** Connections in a row that brought nothing new and no end: the stream itself is broken. */
const maxEmptyConnections = 12

export interface FollowOptions {
  /** Number of the last event that the caller has. */
  readonly after?: number
  readonly signal?: AbortSignal
  /** Longest time without any answer of the host, milliseconds. Absent: the host is waited for. */
  readonly patienceMs?: number
  /**
   * Gives a signal that fires when the host has come back after it was away: a connection from before is dead then, and
   * a pause is over. Called for each connection and each pause.
   */
  readonly cameBack?: () => AbortSignal
}

/**
 * The events of a run behind number `after`, each once and in order. A broken connection continues at the next number.
 * @returns the status that the run ended with; null when `signal` ended the reading
 * @throws {Problem} what hostd refused with; `version_mismatch` for a missing number or an unknown shape;
 *   `hostd_unreachable` after `patienceMs`
 */
export async function* followRun(
  connect: Connect,
  id: string,
  options: FollowOptions = {},
): AsyncGenerator<readonly RunEvent[], RunStatus | null> {
  return yield* new RunFollower(connect, id, options).events()
}

const endMessage = z.looseObject({ status: runStatus })

class RunFollower {
  readonly #connect: Connect
  readonly #id: string
  readonly #signal: AbortSignal | undefined
  readonly #patienceMs: number | undefined
  readonly #cameBack: (() => AbortSignal) | undefined
  /** Number of the last event that was given. */
  #seen: number
  #lastAnswerAt = Date.now()
  #emptyConnections = 0

  constructor(connect: Connect, id: string, options: FollowOptions) {
    const { after = 0, signal, patienceMs, cameBack } = options
    this.#connect = connect
    this.#id = id
    this.#seen = after
    this.#signal = signal
    this.#patienceMs = patienceMs
    this.#cameBack = cameBack
  }

  async *events(): AsyncGenerator<readonly RunEvent[], RunStatus | null> {
    while (!this.#signal?.aborted) {
      const before = this.#seen
      try {
        const status = yield* this.#oneConnection(await this.#connect())
        if (status !== null) return status
      } catch (error) {
        if (this.#signal?.aborted) return null
        if (!this.#isPassing(toProblem(error).errorClass) || this.#isOutOfPatience()) throw error
      }
      this.#emptyConnections = this.#seen > before ? 0 : this.#emptyConnections + 1
      this.#refuseBrokenStream()
      await pause(this.#pauseMs(), anyOf(this.#signal, this.#cameBack?.()))
    }
    return null
  }

  /** Does it pass by itself? A window says at once that too many logs are open; a command waits for its turn. */
  #isPassing(errorClass: ErrorClass): boolean {
    return (
      errorClass === 'hostd_unreachable' ||
      (errorClass === 'too_many_streams' && this.#patienceMs !== undefined)
    )
  }

  #isOutOfPatience(): boolean {
    return this.#patienceMs !== undefined && Date.now() - this.#lastAnswerAt >= this.#patienceMs
  }

  /** A host that answers each time and never gives the rest. */
  #refuseBrokenStream(): void {
    if (this.#patienceMs === undefined || this.#emptyConnections < maxEmptyConnections) return
    if (Date.now() - this.#lastAnswerAt > this.#patienceMs / 2) return
    throw new Problem(
      'hostd_unreachable',
      `The log of ${this.#id} breaks off after event ${this.#seen} at every attempt.`,
    )
  }

  /** Grows with each connection that brought nothing, and differs between callers. */
  #pauseMs(): number {
    const full = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#emptyConnections, 6))
    return full / 2 + (Math.random() * full) / 2
  }

  /** @returns the status of the run, or null when the connection broke before the end */
  async *#oneConnection(
    address: HostdAddress,
  ): AsyncGenerator<readonly RunEvent[], RunStatus | null> {
    const silence = new SilenceLimit()
    silence.restart(connectMs)
    try {
      const answer = await requestAnswer(address, {
        path: pathWith(hostdPaths.runEvents, this.#id),
        headers: {
          accept: 'text/event-stream',
          ...(this.#seen > 0 ? { 'last-event-id': String(this.#seen) } : {}),
        },
        limitMs: null,
        signal: anyOf(silence.signal, this.#signal, this.#cameBack?.()),
      })
      const heard = (): void => {
        this.#lastAnswerAt = Date.now()
        silence.restart(silenceMs)
      }
      heard()
      for await (const messages of readMessages(answer.body, heard)) {
        const { events, status } = this.#read(messages, address.caller.sides)
        if (events.length > 0) yield events
        if (status !== null) return status
      }
      return null
    } catch (error) {
      if (error instanceof Problem && error.errorClass !== 'cancelled') throw error
      throw new Problem('hostd_unreachable', `The stream of run ${this.#id} broke off.`, {
        cause: error,
      })
    } finally {
      silence.close()
    }
  }

  /** What one piece of the stream holds. Events that were given already are left out. */
  #read(
    messages: readonly StreamMessage[],
    sides: string,
  ): { events: RunEvent[]; status: RunStatus | null } {
    const events: RunEvent[] = []
    for (const message of messages) {
      if (message.event === 'end')
        return { events, status: parsed(message, sides, (value) => endMessage.parse(value)).status }
      const event = parsed(message, sides, parseRunEvent)
      if (event.seq <= this.#seen) continue
      if (event.seq !== this.#seen + 1)
        throw mismatch(sides, `event ${this.#seen + 1} of run ${this.#id} is missing`)
      this.#seen = event.seq
      events.push(event)
    }
    return { events, status: null }
  }
}

const anyOf = (...signals: readonly (AbortSignal | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined))

function parsed<T>(message: StreamMessage, sides: string, parse: (value: unknown) => T): T {
  try {
    return parse(JSON.parse(message.data))
  } catch (error) {
    throw mismatch(sides, `event ${message.id ?? '(end)'} has an unknown shape`, error)
  }
}

/** Aborts its signal when nothing was heard for the time that was set last. */
class SilenceLimit {
  readonly #controller = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  restart(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#controller.abort(), ms)
  }

  /** Also ends the connection, if its reader stopped early. */
  close(): void {
    clearTimeout(this.#timer)
    this.#controller.abort()
  }
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
