import { setTimeout as delay } from 'node:timers/promises'
import { Problem, toProblem } from '#shared/errors'

/** The time, and waiting; replaced where a test runs many flows. */
export interface Clock {
  /** Milliseconds. */
  readonly now: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

export const systemClock: Clock = {
  now: Date.now,
  wait: async (ms, signal) => await delay(ms, undefined, { signal }),
}

interface Poll<T> {
  /** Seconds between two requests, as the service said; null: it did not, which means 5 (RFC 8628 3.5). */
  readonly intervalSeconds: number | null
  readonly expiresInSeconds: number
  /** One request of the token. */
  readonly request: () => Promise<T>
  /** The `error` of RFC 8628 3.5 in what `request` threw; null: there is none. */
  readonly errorOf: (thrown: unknown) => string | null
  readonly signal: AbortSignal
}

const secondMs = 1000
/** Added to the interval by each `slow_down`, for good. */
const slowDownSeconds = 5
/** Longest interval after lost connections, seconds. */
const longestSeconds = 60

/**
 * Requests the token until the person has entered the code (RFC 8628 3.4, 3.5). What decides is the `error` of an
 * answer and not its status: Google answers 428 while it waits and 403 for `slow_down`.
 * @throws {Problem} `connector_denied`, `step_timeout` when the code has expired; whatever else `request` throws
 */
export async function pollForToken<T>(
  { intervalSeconds, expiresInSeconds, request, errorOf, signal }: Poll<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const deadline = clock.now() + expiresInSeconds * secondMs
  let interval = intervalSeconds ?? 5
  for (;;) {
    const left = deadline - clock.now()
    if (left <= interval * secondMs) {
      await clock.wait(Math.max(0, left), signal)
      throw expired()
    }
    await clock.wait(interval * secondMs, signal)
    try {
      return await request()
    } catch (error) {
      signal.throwIfAborted()
      const code = errorOf(error)
      if (code === 'slow_down') interval += slowDownSeconds
      else if (code === 'access_denied') throw denied(error)
      else if (code === 'expired_token') throw expired()
      else if (code !== 'authorization_pending') {
        if (toProblem(error).errorClass !== 'connector_unreachable') throw error
        // A lost connection: the interval grows (RFC 8628 3.5), and the code ends all the same.
        interval = Math.max(interval, Math.min(interval * 2, longestSeconds))
      }
    }
  }
}

const unchanged = 'The secret on the host is unchanged.'
const expired = (): Problem =>
  new Problem('step_timeout', `The code was not entered before it expired. ${unchanged}`)
const denied = (cause: unknown): Problem =>
  new Problem(
    'connector_denied',
    `Access was refused in the browser (access_denied). ${unchanged}`,
    { cause },
  )
