import type { RemediationId } from './remediations.ts'

interface ErrorRule {
  /** May the same pipeline be started again without anybody changing anything? Never, unless stated. */
  readonly retryable?: true
  /** A rule said no; nothing broke. Shown as "Blocked" instead of "Fail". */
  readonly blocked?: true
  readonly next_auto_fix: RemediationId
  /** Status of the HTTP answer, for classes that hostd answers with. */
  readonly http?: number
}

const rule = <T extends Record<string, ErrorRule>>(table: T): T => table

/** The one table of failure classes (design §4). A class that is not listed here cannot be constructed. */
export const errorTable = rule({
  // ship: preflight
  host_guard_production: { blocked: true, next_auto_fix: 'ship_from_laptop' },
  codex_skip_set: { blocked: true, next_auto_fix: 'unset_codex_skip' },
  hook_bypass: { blocked: true, next_auto_fix: 'restore_git_hooks' },
  not_a_repository: { next_auto_fix: 'choose_repository' },
  config_invalid: { next_auto_fix: 'fix_configuration' },
  dirty_tree: { blocked: true, next_auto_fix: 'commit_changes' },
  unfinished_git_operation: { blocked: true, next_auto_fix: 'finish_git_operation' },
  hidden_changes: { blocked: true, next_auto_fix: 'unhide_changes' },
  replace_refs: { blocked: true, next_auto_fix: 'remove_replace_refs' },
  wrong_branch: { blocked: true, next_auto_fix: 'switch_to_main' },
  behind_remote: { blocked: true, next_auto_fix: 'integrate_remote' },
  diverged_from_remote: { blocked: true, next_auto_fix: 'integrate_remote' },
  nothing_to_ship: { blocked: true, next_auto_fix: 'commit_changes' },
  baseline_unknown: { blocked: true, next_auto_fix: 'set_baseline' },
  next_action_invalid: { blocked: true, next_auto_fix: 'set_next_action' },
  commit_refused: { next_auto_fix: 'mend_commit' },
  remote_unreachable: { retryable: true, next_auto_fix: 'retry_when_reachable' },
  ship_key_locked: { blocked: true, next_auto_fix: 'ship_from_hq' },
  ship_lock_held: { retryable: true, next_auto_fix: 'join_active_run' },
  // ship: what the change holds
  submodule_refused: { blocked: true, next_auto_fix: 'vendor_submodule' },
  link_outside: { blocked: true, next_auto_fix: 'fix_and_ship' },
  unsafe_path: { blocked: true, next_auto_fix: 'fix_and_ship' },
  path_collision: { blocked: true, next_auto_fix: 'fix_and_ship' },
  hidden_characters: { blocked: true, next_auto_fix: 'fix_and_ship' },
  secret_in_diff: { blocked: true, next_auto_fix: 'remove_secret' },
  // ship: tests
  tests_prepare_failed: { next_auto_fix: 'fix_and_ship' },
  tests_failed: { next_auto_fix: 'fix_and_ship' },
  tests_skipped: { blocked: true, next_auto_fix: 'unskip_tests' },
  tests_no_report: { next_auto_fix: 'fix_test_report' },
  tests_timeout: { next_auto_fix: 'fix_and_ship' },
  // ship: review
  review_unavailable: { blocked: true, next_auto_fix: 'connect_codex' },
  review_blocked: { blocked: true, next_auto_fix: 'fix_findings_and_ship' },
  review_invalid: { blocked: true, next_auto_fix: 'ship_again' },
  review_mismatch: { blocked: true, next_auto_fix: 'ship_again' },
  review_incomplete: { blocked: true, next_auto_fix: 'ship_again' },
  review_timeout: { blocked: true, next_auto_fix: 'ship_again' },
  review_provider_refused: { blocked: true, next_auto_fix: 'accept_review_provider' },
  review_too_large: { blocked: true, next_auto_fix: 'split_change' },
  // ship: until green
  implementer_failed: { next_auto_fix: 'fix_and_ship' },
  implementer_timeout: { next_auto_fix: 'fix_and_ship' },
  repair_without_change: { next_auto_fix: 'fix_and_ship' },
  fast_forward_refused: { blocked: true, next_auto_fix: 'ship_again' },
  // ship: the last look and the push
  head_moved: { blocked: true, next_auto_fix: 'ship_again' },
  remote_moved: { blocked: true, next_auto_fix: 'integrate_remote' },
  verdict_mismatch: { blocked: true, next_auto_fix: 'ship_again' },
  verdict_signature_invalid: { blocked: true, next_auto_fix: 'ship_the_commit' },
  forced_push: { blocked: true, next_auto_fix: 'integrate_remote' },
  hook_manager_present: { blocked: true, next_auto_fix: 'join_hook_manager' },
  push_rejected: { next_auto_fix: 'allow_push' },
  push_unconfirmed: { retryable: true, next_auto_fix: 'read_remote_again' },
  // deploy
  production_can_push: { blocked: true, next_auto_fix: 'make_remote_read_only' },
  push_probe_inconclusive: { next_auto_fix: 'retry_when_reachable' },
  git_fetch_failed: { next_auto_fix: 'retry_when_reachable' },
  git_sync_failed: { next_auto_fix: 'deploy_again' },
  main_rewound: { blocked: true, next_auto_fix: 'restore_main' },
  unreviewed_commit: { blocked: true, next_auto_fix: 'ship_the_commit' },
  provider_not_accepted: { blocked: true, next_auto_fix: 'accept_review_provider' },
  rollback_unavailable: { blocked: true, next_auto_fix: 'choose_green_commit' },
  rolled_back: { blocked: true, next_auto_fix: 'ship_or_unpin' },
  hostd_unhealthy: { next_auto_fix: 'restart_hostd' },
  hostd_install_failed: { next_auto_fix: 'fix_and_ship' },
  console_build_failed: { next_auto_fix: 'fix_and_ship' },
  docker_compose_failed: { next_auto_fix: 'fix_and_ship' },
  docker_unreachable: { next_auto_fix: 'start_docker' },
  port_in_use: { next_auto_fix: 'free_port' },
  service_unhealthy: { next_auto_fix: 'fix_and_ship' },
  public_port: { blocked: true, next_auto_fix: 'close_public_port' },
  endpoint_not_ok: { next_auto_fix: 'fix_and_ship' },
  doctor_failed: { next_auto_fix: 'follow_doctor' },
  guard_failed: { next_auto_fix: 'follow_doctor' },
  running_version_mismatch: { next_auto_fix: 'deploy_again' },
  state_invalid: { next_auto_fix: 'deploy_again' },
  route_missing: { next_auto_fix: 'fix_and_ship' },
  missing_route_dod_last: { next_auto_fix: 'fix_and_ship' },
  dod_failed: { next_auto_fix: 'follow_doctor' },
  dod_failed_joinable_409: { retryable: true, next_auto_fix: 'join_active_run' },
  state_not_written: { next_auto_fix: 'repair_state_folder' },
  maintenance_not_written: { next_auto_fix: 'repair_artifacts_folder', http: 500 },
  selftest_failed: { next_auto_fix: 'report_bug' },
  green_check_failed: { next_auto_fix: 'deploy_again' },
  attempts_exhausted: { next_auto_fix: 'fix_and_ship' },
  key_kept: { blocked: true, next_auto_fix: 'change_trust' },
  // installing a host
  host_not_ready: { blocked: true, next_auto_fix: 'finish_host' },
  install_refused: { blocked: true, next_auto_fix: 'prepare_host' },
  install_failed: { next_auto_fix: 'prepare_host' },
  // proof
  proof_broken: { http: 400, next_auto_fix: 'inspect_proof' },
  proof_chain_unreadable: { next_auto_fix: 'inspect_proof' },
  proof_busy: { retryable: true, next_auto_fix: 'seal_again' },
  // connectors
  CONNECTOR_NOT_CONFIGURED: { blocked: true, next_auto_fix: 'connect_connectors' },
  connector_secret_unsafe: { blocked: true, next_auto_fix: 'protect_secrets' },
  connector_secret_invalid: { blocked: true, next_auto_fix: 'connect_again' },
  connector_expired: { next_auto_fix: 'connect_again' },
  connector_refused: { next_auto_fix: 'connect_again' },
  connector_scope_missing: { blocked: true, next_auto_fix: 'connect_again' },
  connector_insecure: { blocked: true, next_auto_fix: 'correct_connector_settings' },
  connector_answer_unexpected: { next_auto_fix: 'correct_connector_settings' },
  connector_unreachable: { retryable: true, next_auto_fix: 'retry_when_reachable' },
  // runs
  cancelled: { next_auto_fix: 'start_again' },
  interrupted: { next_auto_fix: 'start_again' },
  step_timeout: { next_auto_fix: 'start_again' },
  action_no_result: { next_auto_fix: 'start_again' },
  runner_lost: { next_auto_fix: 'start_again' },
  runner_start_failed: { next_auto_fix: 'start_again', http: 500 },
  lane_busy: { retryable: true, next_auto_fix: 'wait_for_active_run', http: 409 },
  disk_full: { next_auto_fix: 'free_disk', http: 507 },
  storage_read_only: { next_auto_fix: 'make_storage_writable', http: 507 },
  internal_error: { next_auto_fix: 'report_bug', http: 500 },
  ALREADY_RUNNING: { retryable: true, next_auto_fix: 'join_active_run', http: 409 },
  MAINTENANCE_MODE: { retryable: true, next_auto_fix: 'wait_for_deploy', http: 503 },
  // requests
  token_not_configured: { next_auto_fix: 'set_admin_token', http: 503 },
  forbidden: { next_auto_fix: 'enrol_host', http: 403 },
  host_refused: { next_auto_fix: 'enrol_host', http: 403 },
  origin_refused: { next_auto_fix: 'enrol_host', http: 403 },
  funnel_refused: { next_auto_fix: 'close_tailscale_serve', http: 403 },
  unknown_action: { next_auto_fix: 'update_hq', http: 404 },
  not_found: { next_auto_fix: 'start_again', http: 404 },
  invalid_request: { next_auto_fix: 'update_hq', http: 400 },
  unsupported_media_type: { next_auto_fix: 'update_hq', http: 415 },
  body_too_large: { next_auto_fix: 'split_change', http: 413 },
  bundle_conflict: { next_auto_fix: 'ship_again', http: 409 },
  not_running: { next_auto_fix: 'start_again', http: 409 },
  hostd_unreachable: { retryable: true, next_auto_fix: 'retry_when_reachable', http: 502 },
  version_mismatch: { next_auto_fix: 'update_hq', http: 502 },
})

export type ErrorClass = keyof typeof errorTable
export const errorClasses = Object.keys(errorTable) as [ErrorClass, ...ErrorClass[]]

export const errorRule = (errorClass: ErrorClass): ErrorRule => errorTable[errorClass]

/**
 * An expected failure. Everything else that is thrown is a bug and becomes `internal_error`.
 * `message` says where, what, and what is untouched; `evidence` is what a person looks at first.
 */
export class Problem extends Error {
  readonly errorClass: ErrorClass
  readonly evidence: readonly string[]
  constructor(
    errorClass: ErrorClass,
    message: string,
    options: { cause?: unknown; evidence?: readonly string[] } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'Problem'
    if (!Object.hasOwn(errorTable, errorClass))
      throw new TypeError(`error class ${errorClass} is not in shared/errors.ts`)
    this.errorClass = errorClass
    this.evidence = options.evidence ?? []
  }
}

/** What SQLite calls a full disk and a file that must not be written. */
const sqlite = { full: 13, readOnly: 8 } as const

/** Turns anything thrown into a Problem: ENOSPC becomes `disk_full`, EROFS `storage_read_only`, a bug `internal_error`. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  const sqliteCode = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT' || sqliteCode === sqlite.full)
    return new Problem('disk_full', message, { cause: thrown })
  if (code === 'EROFS' || sqliteCode === sqlite.readOnly)
    return new Problem('storage_read_only', message, { cause: thrown })
  return new Problem('internal_error', message, { cause: thrown })
}
