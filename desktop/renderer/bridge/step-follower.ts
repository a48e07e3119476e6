import type { BridgeTransport } from '#shared/bridge'
import { parseRunEvent } from '#shared/events'

interface Followed {
  readonly runId: string
  step: string | null
  seq: number
  cut: boolean
  stop: () => void
}

/**
 * Follows the newest run it was asked about, to tell the step it is in. The overview of the console needs it: hostd's
 * status names active runs, not their steps. After a cut the next question takes it up again from the last number seen.
 */
export function stepFollower(events: BridgeTransport['events']): (runId: string) => string | null {
  let followed: Followed | null = null
  function follow(mine: Followed): void {
    mine.cut = false
    mine.stop = events(
      { source: 'host', run_id: mine.runId, after: mine.seq },
      (batch) => {
        for (const each of batch) {
          const event = parseRunEvent(each)
          mine.seq = event.seq
          if (event.type === 'step_started') mine.step = event.step
        }
      },
      (problem) => {
        mine.cut = problem !== null
      },
    )
  }
  return (runId) => {
    if (followed?.runId !== runId) {
      followed?.stop()
      followed = { runId, step: null, seq: 0, cut: false, stop: () => undefined }
      follow(followed)
    } else if (followed.cut) follow(followed)
    return followed.step
  }
}
