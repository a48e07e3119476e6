/** The step that a run of the host is in, for the console page: hostd's status names active runs, not their steps. */
import type { HostdClient } from '#shared/hostd-client/client'
import { freshProgress, trackProgress, type Progress } from '#shared/progress'

interface Followed {
  readonly runId: string
  readonly progress: Progress
  readonly stop: AbortController
  failed: boolean
}

/** @returns where a run is, as far as its events have shown; the newest run that was given is followed */
export function stepFollower(client: HostdClient): (runId: string) => Progress {
  let followed: Followed | null = null
  const follow = (runId: string): Followed => {
    const stop = new AbortController()
    const mine: Followed = { runId, progress: freshProgress(), stop, failed: false }
    trackProgress(client.events(runId, { signal: stop.signal }), mine.progress).catch(() => {
      mine.failed = true // the host refused: the next call tries again, and the status says why
    })
    return mine
  }
  return (runId) => {
    if (followed === null || followed.runId !== runId || followed.failed) {
      followed?.stop.abort()
      followed = follow(runId)
    }
    return followed.progress
  }
}
