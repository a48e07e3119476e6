/** Where a running run is, as its events show. */
import type { RunEvent } from './events.ts'
import type { ResultDocument } from './result.ts'

export interface Progress {
  step: string | null
  /** The commit the run is about, once a step of it has said so. */
  commit: string | null
  finished: ResultDocument | null
}

/**
 * Reads a stream of events and keeps `progress` up to date until the stream ends.
 * @returns the result document the run ended with, or null when the stream ended without one
 */
export async function trackProgress(
  stream: AsyncIterable<readonly RunEvent[]>,
  progress: Progress,
): Promise<ResultDocument | null> {
  for await (const events of stream) {
    for (const event of events) {
      note(event, progress)
    }
  }
  return progress.finished
}

/** Nothing is known of a run that has just begun. */
export const freshProgress = (): Progress => ({ step: null, commit: null, finished: null })

function note(event: RunEvent, progress: Progress): void {
  // A further attempt reads main again.
  if (event.type === 'run_started') progress.commit = null
  else if (event.type === 'step_started') progress.step = event.step
  else if (event.type === 'step_finished') {
    progress.commit = event.git_head ?? progress.commit
    if (progress.step === event.step) progress.step = null
  } else if (event.type === 'run_finished') progress.finished = event.result
}
