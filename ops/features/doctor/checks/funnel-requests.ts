import { fail, pass, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readRequestRecord, type RequestRecord } from '#ops/core/host-state/request-record'
import { plural } from '#shared/plural'

/** The port audit checks whether Funnel is open now. This check remembers that a request came through it. */
export const funnelRequests: HostCheck = {
  name: 'funnel_requests',
  title: 'Requests through Funnel',
  description: 'No request has come from the public internet through Tailscale Funnel.',
  remedies: ['close_tailscale_serve'],
  run: ({ paths }) => judgeFunnel(readRequestRecord(paths, 'funnel'), Date.now()),
}

/** Milliseconds: the check fails for longer than the interval of doctor's timer, and warns for a week. */
const failMs = 20 * 60_000
const warnMs = 7 * 86_400_000

/** @param now milliseconds since 1970 */
export function judgeFunnel(record: RequestRecord | undefined, now: number): Finding {
  if (record === undefined) return pass('No request has come through Tailscale Funnel.')
  const { count, first_at, last_at } = record
  const detail = [
    `${plural(count, 'request')} came from the public internet through Tailscale Funnel,`,
    `the last at ${last_at}, the first at ${first_at}; all were refused`,
  ].join(' ')
  const age = now - Date.parse(last_at)
  if (age < failMs) return fail(`${detail}.`, 'close_tailscale_serve')
  return age < warnMs ? warn(detail, 'close_tailscale_serve') : pass(detail)
}
