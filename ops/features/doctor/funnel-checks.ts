import { readFunnelRecord, type FunnelRecord } from '#ops/core/host-state/funnel-record'
import { fail, pass, warn, type Check, type Finding } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'

/** Milliseconds: the alarm is loud until doctor's timer has come by, and is remembered for a week. */
const loudMs = 20 * 60_000
const rememberedMs = 7 * 86_400_000
const remedy = 'close_tailscale_serve'

/** @param now milliseconds since 1970 */
export function judgeFunnel(record: FunnelRecord | undefined, now: number): Finding {
  if (record === undefined) return pass('No request has come through Tailscale Funnel.')
  const detail = `${record.count === 1 ? '1 request' : `${record.count} requests`} came from the public internet through Tailscale Funnel, the last at ${record.last_at}, the first at ${record.first_at}; all were refused`
  const age = now - Date.parse(record.last_at)
  if (age < loudMs) return fail(`${detail}.`, remedy)
  return age < rememberedMs ? warn(detail, remedy) : pass(detail)
}

/** Has anybody come from the public internet? The audit says whether the door is open now; this, whether somebody was at it. */
export const funnelChecks = ({ paths }: DoctorContext): Check[] => [
  { name: 'funnel_requests', remedy, run: () => judgeFunnel(readFunnelRecord(paths), Date.now()) },
]
