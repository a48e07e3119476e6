import {
  readRequestRecord,
  writeRequestRecord,
  type CountedRequests,
  type RequestRecord,
} from '#ops/core/host-state/request-record'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Log } from '../log/log.ts'

/** What the log calls them. */
const logged = {
  funnel: 'funnel_refused',
  claimed_identity: 'identity_ignored',
} as const satisfies Record<CountedRequests, string>

/** At most one write in this time, milliseconds: who sends requests must not decide how busy the disk is. */
const everyMs = 5_000

/**
 * Counts requests of one kind, for doctor to raise the alarm. The first of a burst is on disk at once; the count of
 * the rest follows with the next one after `everyMs`.
 * @returns to be called once for each such request
 */
export function requestAlarm(
  kind: CountedRequests,
  { paths, log }: { readonly paths: Pick<HostPaths, 'index'>; readonly log: Log },
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
      writeRequestRecord(paths, kind, {
        schema_version: 1,
        count: (before?.count ?? 0) + unwritten,
        first_at: before?.first_at ?? last_at,
        last_at,
      })
      log(logged[kind], { requests: unwritten })
      unwritten = 0
    } catch (error) {
      log('requests_not_counted', { kind, why: String(error), requests: unwritten })
    }
  }

  /** A file that cannot be read is replaced: the present alarm matters more. */
  function known(): RequestRecord | undefined {
    try {
      return readRequestRecord(paths, kind)
    } catch (error) {
      log('request_record_replaced', { kind, why: String(error) })
      return undefined
    }
  }
}
