import type { ErrorRow } from './row.ts'

/** Failure classes of requests to hostd, to the console and to HQ itself. */
export const requestErrors = {
  token_not_configured: {
    http: 503,
    next_auto_fix: 'set_admin_token',
    title: 'No usable admin token',
    sentence: 'There is no admin token that can be used',
  },
  host_not_enrolled: {
    next_auto_fix: 'enrol_host',
    title: 'No host enrolled',
    sentence: 'This laptop has no address or no admin token of the host',
  },
  host_changed: {
    next_auto_fix: 'compare_host',
    title: 'Changed host',
    sentence: 'The host is not the machine that HQ has pinned, or has another name',
  },
  another_host_selected: {
    blocked: true,
    next_auto_fix: 'start_again',
    title: 'Another host is selected',
    sentence: 'Another host is selected now than the one that was shown',
  },
  setting_invalid: {
    http: 400,
    next_auto_fix: 'correct_setting',
    title: 'Invalid setting',
    sentence: 'A setting of HQ is not valid',
  },
  forbidden: {
    http: 403,
    next_auto_fix: 'enrol_host',
    title: 'Refused admin token',
    sentence: 'The admin token was refused',
  },
  host_refused: {
    http: 403,
    next_auto_fix: 'enrol_host',
    title: 'Refused host name',
    sentence: 'The request used a host name that is not configured',
  },
  origin_refused: {
    http: 403,
    next_auto_fix: 'enrol_host',
    title: 'Refused origin',
    sentence: 'The request came from a page other than HQ',
  },
  funnel_refused: {
    http: 403,
    next_auto_fix: 'close_tailscale_serve',
    title: 'Request from the internet',
    sentence: 'The request came through Tailscale Funnel, from the public internet',
  },
  actor_refused: {
    http: 403,
    next_auto_fix: 'allow_actor',
    title: 'Person not allowed',
    sentence: 'This host accepts changes only from some persons of the tailnet',
  },
  unknown_action: {
    http: 404,
    next_auto_fix: 'update_hq',
    title: 'Unknown action',
    sentence: 'The host does not know this action',
  },
  not_found: {
    http: 404,
    next_auto_fix: 'start_again',
    title: 'Not found',
    sentence: 'The requested item does not exist on the host',
  },
  invalid_request: {
    http: 400,
    next_auto_fix: 'update_hq',
    title: 'Invalid request',
    sentence: 'The request is not valid',
  },
  request_too_slow: {
    retryable: true,
    http: 408,
    next_auto_fix: 'start_again',
    title: 'Slow request',
    sentence: 'The request did not arrive in time',
  },
  too_many_streams: {
    http: 503,
    next_auto_fix: 'close_live_logs',
    title: 'Too many live logs',
    sentence: 'Too many live logs are open',
  },
  unsupported_media_type: {
    http: 415,
    next_auto_fix: 'update_hq',
    title: 'Unsupported media type',
    sentence: 'The request has a body of an unsupported type',
  },
  body_too_large: {
    http: 413,
    next_auto_fix: 'split_change',
    title: 'Request too large',
    sentence: 'The body of the request is too large',
  },
  bundle_conflict: {
    http: 409,
    next_auto_fix: 'ship_again',
    title: 'Conflicting ship bundle',
    sentence: 'The host already holds a different bundle for this ship',
  },
  not_running: {
    http: 409,
    next_auto_fix: 'start_again',
    title: 'Run already ended',
    sentence: 'The run has already ended',
  },
  hostd_unreachable: {
    retryable: true,
    http: 502,
    next_auto_fix: 'retry_when_reachable',
    title: 'Unreachable host',
    sentence: 'The host does not answer',
  },
  version_mismatch: {
    http: 502,
    next_auto_fix: 'update_hq',
    title: 'Version mismatch',
    sentence: 'HQ and hostd speak different versions',
  },
} as const satisfies Record<string, ErrorRow>
