/** Where a running run is, as its events show. */
import type { RunEvent } from './events.ts'
import type { ResultDocument } from './result.ts'

export interface Progress {
  step: string | null
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
      if (event.type === 'step_started') progress.step = event.step
      else if (event.type === 'step_finished' && progress.step === event.step) progress.step = null
      else if (event.type === 'run_finished') progress.finished = event.result
    }
  }
  return progress.finished
}
