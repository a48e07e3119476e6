import {
  readFunnelRecord,
  writeFunnelRecord,
  type FunnelRecord,
} from '#ops/core/host-state/funnel-record'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Log } from '../log/log.ts'

/** At most one write in this time, milliseconds: who sends requests must not decide how busy the disk is. */
const everyMs = 5_000

/**
 * Notes requests that came through Tailscale Funnel, for doctor to raise the alarm. The first of a burst is on disk
 * at once; the count of the rest follows with the next one after `everyMs`.
 * @returns to be called once for each such request
 */
export function funnelAlarm(
  paths: Pick<HostPaths, 'index'>,
  log: Log,
  now: () => number = Date.now,
): () => void {
  let unwritten = 0
  let writtenAt = Number.NEGATIVE_INFINITY
  return () => {
    unwritten += 1
    const at = now()
    if (at - writtenAt < everyMs) return
    writtenAt = at
    const last_at = new Date(at).toISOString()
    try {
      const before = known()
      writeFunnelRecord(paths, {
        schema_version: 1,
        count: (before?.count ?? 0) + unwritten,
        first_at: before?.first_at ?? last_at,
        last_at,
      })
      log('funnel_refused', { requests: unwritten })
      unwritten = 0
    } catch (error) {
      log('funnel_not_recorded', { why: String(error), requests: unwritten }) // the request is refused all the same
    }
  }

  /** A file that cannot be read is replaced: the present alarm matters more. */
  function known(): FunnelRecord | undefined {
    try {
      return readFunnelRecord(paths)
    } catch (error) {
      log('funnel_record_replaced', { why: String(error) })
      return undefined
    }
  }
}
