// Measures how long an address does not answer.
import { setTimeout as delay } from 'node:timers/promises'
import { httpRequest } from '#ops/base/http/request'

export interface Watch {
  /**
   * Ends the watch.
   * @returns the longest time between two good answers in which a request failed, in milliseconds; 0 when none failed
   */
  stop(): Promise<number>
}

/** Milliseconds between two requests: the result is this exact. */
const everyMs = 10

/** Sends requests to `url` until it is stopped. */
export function watchAvailability(url: string): Watch {
  const abort = new AbortController()
  let longest = 0
  let lastGood = performance.now()
  let failing = false
  const probe = async (): Promise<void> => {
    let good: boolean
    try {
      good = (await httpRequest(url, { signal: abort.signal, timeoutMs: 1000 })).status < 500
    } catch {
      good = false // refused, reset or too slow: that is what is measured
    }
    if (abort.signal.aborted) return
    const now = performance.now()
    if (good) {
      if (failing) longest = Math.max(longest, now - lastGood)
      lastGood = now
    }
    failing = !good
  }
  const running = (async () => {
    while (!abort.signal.aborted) {
      await probe()
      await delay(everyMs, undefined, { signal: abort.signal }).catch(() => undefined) // stopped
    }
  })()
  return {
    stop: async () => {
      const stopped = performance.now()
      abort.abort()
      await running
      return Math.round(failing ? Math.max(longest, stopped - lastGood) : longest)
    },
  }
}
