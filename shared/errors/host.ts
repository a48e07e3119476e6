import type { ErrorRow } from './row.ts'

/** Failure classes of a host: its installation, its keys, its proof and its connectors. */
export const hostErrors = {
  // installation and trust
  host_not_ready: {
    blocked: true,
    next_auto_fix: 'finish_host',
    title: 'Unfinished host',
    sentence: 'The host is not set up completely',
  },
  install_refused: {
    blocked: true,
    next_auto_fix: 'prepare_host',
    title: 'Refused installation',
    sentence: 'hostd cannot be installed on this machine as it is',
  },
  install_failed: {
    next_auto_fix: 'prepare_host',
    title: 'Failed installation',
    sentence: 'The installation of hostd failed',
  },
  publish_failed: {
    next_auto_fix: 'publish_again',
    title: 'Not published to the tailnet',
    sentence: 'Tailscale did not publish hostd or the console',
  },
  key_kept: {
    blocked: true,
    next_auto_fix: 'change_trust',
    title: 'Key not removed',
    sentence: 'The key was not removed and is still trusted',
  },
  // proof
  proof_broken: {
    http: 400,
    next_auto_fix: 'inspect_proof',
    title: 'Broken proof',
    sentence: 'A proof differs from what was sealed',
  },
  nothing_to_export: {
    next_auto_fix: 'start_again',
    title: 'Nothing to export',
    sentence: 'The proof of the run holds no statement',
  },
  proof_chain_unreadable: {
    next_auto_fix: 'inspect_proof',
    title: 'Unreadable proof chain',
    sentence: 'The head of a proof chain cannot be read',
  },
  proof_busy: {
    retryable: true,
    next_auto_fix: 'seal_again',
    title: 'Proof chain in use',
    sentence: 'Another process is sealing into the same proof chain',
  },
  // connectors
  CONNECTOR_NOT_CONFIGURED: {
    blocked: true,
    next_auto_fix: 'connect_connectors',
    title: 'Connector not ready',
    sentence: 'A connector is not ready',
  },
  connector_secret_unsafe: {
    http: 409,
    blocked: true,
    next_auto_fix: 'protect_secrets',
    title: 'Exposed connector secret',
    sentence: 'Other accounts can read or change the secret of a connector',
  },
  connector_secret_invalid: {
    http: 400,
    blocked: true,
    next_auto_fix: 'connect_again',
    title: 'Unusable connector secret',
    sentence: 'The secret of a connector cannot be used',
  },
  connector_expired: {
    next_auto_fix: 'connect_again',
    title: 'Expired login',
    sentence: 'The login of a connector has expired',
  },
  connector_refused: {
    next_auto_fix: 'connect_again',
    title: 'Refused secret',
    sentence: 'A connector refused its secret',
  },
  connector_denied: {
    next_auto_fix: 'connect_again',
    title: 'Access not allowed',
    sentence: 'Access to a connector was not allowed in the browser',
  },
  connector_other_account: {
    next_auto_fix: 'connect_again',
    title: 'Another account',
    sentence: 'The sign-in to a connector is of another account than before',
  },
  connector_scope_missing: {
    blocked: true,
    next_auto_fix: 'connect_again',
    title: 'Missing permission',
    sentence: 'The token of a connector lacks a required permission',
  },
  connector_insecure: {
    blocked: true,
    next_auto_fix: 'correct_connector_settings',
    title: 'Insecure connection',
    sentence: 'The connection to a connector is not secure',
  },
  connector_answer_unexpected: {
    next_auto_fix: 'correct_connector_settings',
    title: 'Unexpected answer',
    sentence: 'A connector gave an answer that HQ does not know',
  },
  library_empty: {
    next_auto_fix: 'correct_library_settings',
    title: 'Empty library',
    sentence: 'The library of Kajabi has no items',
  },
  harvest_incomplete: {
    retryable: true,
    next_auto_fix: 'continue_phase0',
    title: 'Unfinished harvest',
    sentence: 'The harvest of Gmail reached its time limit',
  },
  connector_unreachable: {
    retryable: true,
    next_auto_fix: 'retry_when_reachable',
    title: 'Unreachable connector',
    sentence: 'A connector does not answer',
  },
  // sign-in at a connector, in a browser of the laptop
  browser_missing: {
    next_auto_fix: 'get_browser',
    title: 'No browser',
    sentence: 'There is no browser on this laptop that HQ can open',
  },
  browser_failed: {
    next_auto_fix: 'start_again',
    title: 'Failed browser',
    sentence: 'The browser of the sign-in did not work',
  },
  browser_ended: {
    next_auto_fix: 'start_again',
    title: 'Ended browser',
    sentence: 'The browser ended before the sign-in was complete',
  },
  sign_in_window_closed: {
    next_auto_fix: 'start_again',
    title: 'Closed window',
    sentence: 'The window of the sign-in was closed before it was complete',
  },
  sign_in_timed_out: {
    next_auto_fix: 'start_again',
    title: 'Unfinished sign-in',
    sentence: 'Nobody completed the sign-in in time',
  },
  sign_in_not_kept: {
    blocked: true,
    next_auto_fix: 'stay_signed_in',
    title: 'Sign-in without a cookie',
    sentence: 'The sign-in cannot be used outside the window that it was made in',
  },
} as const satisfies Record<string, ErrorRow>
