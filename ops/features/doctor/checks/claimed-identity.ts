import { pass, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readRequestRecord, type RequestRecord } from '#ops/core/host-state/request-record'
import { plural } from '#shared/plural'

/** Only tailscaled may say who sends a request. Claims on any other way are ignored, and counted. */
export const claimedIdentity: HostCheck = {
  name: 'claimed_identity',
  title: 'Claimed identities',
  description:
    'No request has claimed an identity of the tailnet that did not come from Tailscale.',
  remedies: ['publish_again'],
  run: ({ paths }) =>
    judgeClaimedIdentity(readRequestRecord(paths, 'claimed_identity'), Date.now()),
}

/** Milliseconds: the check warns for a day. Nothing was granted, so it does not fail. */
const warnMs = 86_400_000

/** @param now milliseconds since 1970 */
export function judgeClaimedIdentity(record: RequestRecord | undefined, now: number): Finding {
  if (record === undefined) return pass('No request has claimed an identity.')
  const { count, first_at, last_at } = record
  const detail =
    `${plural(count, 'request')} claimed an identity of the tailnet that did not come from Tailscale, the last at ` +
    `${last_at}, the first at ${first_at}. The identity was ignored: a program on this host forged it, or Serve goes ` +
    'to the port of hostd and not to its socket'
  return now - Date.parse(last_at) < warnMs ? warn(detail, 'publish_again') : pass(detail)
}
