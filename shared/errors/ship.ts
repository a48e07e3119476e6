import type { ErrorRow } from './row.ts'

/** Failure classes of a ship, from preflight to the confirmed push. */
export const shipErrors = {
  // preflight
  host_guard_production: {
    blocked: true,
    next_auto_fix: 'ship_from_laptop',
    title: 'Ship on a production host',
    sentence: 'This is the production host, which only pulls',
  },
  codex_skip_set: {
    blocked: true,
    next_auto_fix: 'unset_codex_skip',
    title: 'Review switched off',
    sentence: 'CODEX_SKIP is set, so nothing can be shipped',
  },
  program_in_repository: {
    blocked: true,
    next_auto_fix: 'move_program',
    title: 'Program inside the repository',
    sentence: 'A program that judges the change lies inside the repository',
  },
  hook_bypass: {
    blocked: true,
    next_auto_fix: 'restore_git_hooks',
    title: 'Git hooks switched off',
    sentence: 'Git hooks are turned off',
  },
  not_a_repository: {
    next_auto_fix: 'choose_repository',
    title: 'No git repository',
    sentence: 'The chosen folder is not a git repository',
  },
  config_invalid: {
    next_auto_fix: 'fix_configuration',
    title: 'Invalid configuration',
    sentence: 'A setting is not valid',
  },
  artifacts_tracked: {
    blocked: true,
    next_auto_fix: 'untrack_artifacts',
    title: 'Tracked files in the proof folder',
    sentence: 'The commit tracks files where HQ keeps its proof',
  },
  dirty_tree: {
    blocked: true,
    next_auto_fix: 'commit_changes',
    title: 'Uncommitted changes',
    sentence: 'There are changes that are not committed',
  },
  unfinished_git_operation: {
    blocked: true,
    next_auto_fix: 'finish_git_operation',
    title: 'Unfinished git operation',
    sentence: 'A merge, rebase or cherry-pick is unfinished',
  },
  hidden_changes: {
    blocked: true,
    next_auto_fix: 'unhide_changes',
    title: 'Files hidden from git',
    sentence: 'Flags hide changed files from git',
  },
  replace_refs: {
    blocked: true,
    next_auto_fix: 'remove_replace_refs',
    title: 'Replace refs',
    sentence: 'Replace refs change what git shows',
  },
  wrong_branch: {
    blocked: true,
    next_auto_fix: 'switch_to_main',
    title: 'Wrong branch',
    sentence: 'A branch other than main is checked out',
  },
  behind_remote: {
    blocked: true,
    next_auto_fix: 'integrate_remote',
    title: 'Branch behind origin',
    sentence: 'origin/main has commits that this branch lacks',
  },
  diverged_from_remote: {
    blocked: true,
    next_auto_fix: 'integrate_remote',
    title: 'Diverged branch',
    sentence: 'The branch and origin/main have diverged',
  },
  nothing_to_ship: {
    blocked: true,
    next_auto_fix: 'commit_changes',
    title: 'Nothing to ship',
    sentence: 'There is nothing to ship',
  },
  baseline_unknown: {
    blocked: true,
    next_auto_fix: 'set_baseline',
    title: 'Unusable baseline',
    sentence: 'The baseline of the reviewed history is not an ancestor of this commit',
  },
  next_action_invalid: {
    blocked: true,
    next_auto_fix: 'set_next_action',
    title: 'Invalid next action',
    sentence: 'There is not exactly one next action',
  },
  commit_refused: {
    next_auto_fix: 'mend_commit',
    title: 'Refused commit',
    sentence: 'git did not make the commit',
  },
  remote_unreachable: {
    retryable: true,
    next_auto_fix: 'retry_when_reachable',
    title: 'Unreachable remote',
    sentence: 'origin does not answer',
  },
  push_address_differs: {
    blocked: true,
    next_auto_fix: 'unify_origin_address',
    title: 'Two addresses of origin',
    sentence: 'origin is pushed to another address than it is read from',
  },
  origin_unsuitable: {
    blocked: true,
    next_auto_fix: 'prepare_origin',
    title: 'Unsuitable origin',
    sentence: 'origin cannot take and show a commit together with its verdict',
  },
  ship_key_locked: {
    blocked: true,
    next_auto_fix: 'ship_from_hq',
    title: 'Locked ship key',
    sentence: 'The ship key cannot be opened',
  },
  ship_lock_held: {
    retryable: true,
    next_auto_fix: 'join_active_run',
    title: 'Ship already running',
    sentence: 'Another ship of this repository is running',
  },
  // what the change holds
  submodule_refused: {
    blocked: true,
    next_auto_fix: 'vendor_submodule',
    title: 'Submodule in the change',
    sentence: 'The change sets a submodule, whose content no diff shows',
  },
  link_outside: {
    blocked: true,
    next_auto_fix: 'fix_and_ship',
    title: 'Link out of the repository',
    sentence: 'The change adds a link that leads out of the repository',
  },
  unsafe_path: {
    blocked: true,
    next_auto_fix: 'fix_and_ship',
    title: 'Unsafe path',
    sentence: 'The change adds a path that names a different file on some systems',
  },
  path_collision: {
    blocked: true,
    next_auto_fix: 'fix_and_ship',
    title: 'Colliding paths',
    sentence: 'Two paths of the change are the same file on some systems',
  },
  hidden_characters: {
    blocked: true,
    next_auto_fix: 'fix_and_ship',
    title: 'Unreadable source',
    sentence: 'The change holds source that runs differently than a diff shows it',
  },
  secret_in_diff: {
    blocked: true,
    next_auto_fix: 'remove_secret',
    title: 'Secret in the change',
    sentence: 'The change adds a secret',
  },
  // tests
  tests_prepare_failed: {
    next_auto_fix: 'fix_test_setup',
    title: 'Failed test preparation',
    sentence: 'The tests could not be prepared',
  },
  tests_failed: {
    next_auto_fix: 'fix_and_ship',
    title: 'Failed tests',
    sentence: 'The tests failed',
  },
  tests_skipped: {
    blocked: true,
    next_auto_fix: 'unskip_tests',
    title: 'Skipped tests',
    sentence: 'Tests were skipped',
  },
  tests_no_report: {
    next_auto_fix: 'fix_test_report',
    title: 'Missing or unclear test report',
    sentence: 'The tests wrote no report that proves them',
  },
  tests_timeout: {
    next_auto_fix: 'fix_and_ship',
    title: 'Test time limit',
    sentence: 'The tests took longer than their limit',
  },
  // review
  review_unavailable: {
    blocked: true,
    next_auto_fix: 'connect_codex',
    title: 'Unavailable review',
    sentence: 'The review could not take place',
  },
  review_blocked: {
    blocked: true,
    next_auto_fix: 'fix_findings_and_ship',
    title: 'Changes requested',
    sentence: 'The review asks for changes',
  },
  review_invalid: {
    blocked: true,
    next_auto_fix: 'ship_again',
    title: 'Invalid review',
    sentence: 'The review gave no valid answer',
  },
  review_mismatch: {
    blocked: true,
    next_auto_fix: 'ship_again',
    title: 'Mismatched review',
    sentence: 'The review is about a different change',
  },
  review_incomplete: {
    blocked: true,
    next_auto_fix: 'ship_again',
    title: 'Incomplete review',
    sentence: 'The review left files out',
  },
  review_timeout: {
    blocked: true,
    next_auto_fix: 'ship_again',
    title: 'Review time limit',
    sentence: 'The review took longer than its limit',
  },
  review_provider_refused: {
    blocked: true,
    next_auto_fix: 'accept_review_provider',
    title: 'Unaccepted review provider',
    sentence: 'The review provider is not accepted',
  },
  review_too_large: {
    blocked: true,
    next_auto_fix: 'split_change',
    title: 'Change too large',
    sentence: 'The change is too large for one review',
  },
  // until green
  implementer_failed: {
    next_auto_fix: 'fix_and_ship',
    title: 'Failed repair',
    sentence: 'The repair failed',
  },
  implementer_timeout: {
    next_auto_fix: 'fix_and_ship',
    title: 'Repair time limit',
    sentence: 'The repair took longer than its limit',
  },
  repair_without_change: {
    next_auto_fix: 'fix_and_ship',
    title: 'Empty repair',
    sentence: 'The repair changed nothing',
  },
  fast_forward_refused: {
    blocked: true,
    next_auto_fix: 'ship_again',
    title: 'Branch not moved',
    sentence: 'The branch could not be moved to the approved repair',
  },
  // the last check and the push
  head_moved: {
    blocked: true,
    next_auto_fix: 'ship_again',
    title: 'Commit changed during the ship',
    sentence: 'The commit changed while it was shipped',
  },
  remote_moved: {
    blocked: true,
    next_auto_fix: 'integrate_remote',
    title: 'origin changed during the ship',
    sentence: 'origin/main moved during the ship',
  },
  verdict_mismatch: {
    blocked: true,
    next_auto_fix: 'ship_again',
    title: 'Mismatched verdict',
    sentence: 'The verdict is not about this commit',
  },
  verdict_signature_invalid: {
    blocked: true,
    next_auto_fix: 'ship_the_commit',
    title: 'Untrusted signature',
    sentence: 'The verdict is not signed by a trusted key',
  },
  statement_mismatch: {
    blocked: true,
    next_auto_fix: 'ship_the_commit',
    title: 'Contradicting statement',
    sentence: 'A statement of the commit contradicts its verdict',
  },
  forced_push: {
    blocked: true,
    next_auto_fix: 'integrate_remote',
    title: 'Forced push',
    sentence: 'The push would remove commits from the branch',
  },
  hook_manager_present: {
    blocked: true,
    next_auto_fix: 'join_hook_manager',
    title: 'Hook manager',
    sentence: 'A hook manager owns the git hooks of the repository',
  },
  push_rejected: {
    next_auto_fix: 'allow_push',
    title: 'Rejected push',
    sentence: 'origin refused the push',
  },
  push_hook_refused: {
    blocked: true,
    next_auto_fix: 'satisfy_push_hook',
    title: 'Push refused by a hook',
    sentence: 'The pre-push hook of this repository refused the push',
  },
  push_bypassed_rule: {
    blocked: true,
    next_auto_fix: 'follow_origin_rules',
    title: 'Bypassed rule of origin',
    sentence: 'origin took the push by an exception from its own rules',
  },
  push_unconfirmed: {
    retryable: true,
    next_auto_fix: 'read_remote_again',
    title: 'Unconfirmed push',
    sentence: 'The push is not confirmed',
  },
} as const satisfies Record<string, ErrorRow>
