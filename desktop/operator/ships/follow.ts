// The events of a ship, until it ends.
import type { RunEvent } from '#shared/events'
import { followRunLog } from '#ops/core/pipeline/run-log'
import { shipEvents } from './folder.ts'
import type { LockHolders } from './lock-holders.ts'

export interface ShipStream {
  readonly repository: string
  readonly id: string
  /** Number of the last event that the caller has; 0: none. */
  readonly after: number
  readonly signal: AbortSignal
}

/** How often the lock is probed while a ship of a terminal runs, in milliseconds. */
const probeEveryMs = 1000

/** Probes the lock again and again, so that the end of a ship of a terminal is noticed. */
export async function* followShip(
  { repository, id, after, signal }: ShipStream,
  holders: LockHolders,
  log: (text: string) => void,
): AsyncGenerator<readonly RunEvent[]> {
  let finished = false
  await holders.probe(repository)
  const probing = setInterval(() => {
    if (!holders.isRecorded(id))
      holders.probe(repository).catch((error: unknown) => log(String(error)))
  }, probeEveryMs)
  try {
    for await (const events of followRunLog(shipEvents(repository, id), {
      after,
      ended: () => finished || !holders.isRunning(repository, id),
      signal,
    })) {
      finished ||= events.some(({ type }) => type === 'run_finished')
      yield events
    }
  } finally {
    clearInterval(probing)
  }
}
