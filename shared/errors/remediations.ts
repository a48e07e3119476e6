import { hostRemediations } from './host-remediations.ts'
import type { Remediation } from './remediation.ts'

/**
 * What ends a failure, by name. A result names a remedy by its id in `next_auto_fix`, never by a command line: where
 * HQ has a button, the remedy names the button. Reference: `docs/OPERATING_MODEL.md`.
 */
export const remediations = {
  // by HQ itself
  join_active_run: {
    automatic: true,
    title: 'HQ follows the run that is already active and takes its result.',
  },
  wait_for_active_run: {
    automatic: false,
    title:
      'Wait until the run named in the detail has ended, or cancel it in HQ. Then start the action again.',
  },
  wait_for_deploy: {
    automatic: true,
    title:
      'HQ waits for the deploy that holds maintenance mode. ' +
      'After a failed deploy, the next green deploy ends it, or press End maintenance in HQ.',
  },
  end_maintenance: {
    automatic: false,
    title: 'Press End maintenance in HQ when the work on the host is done. Then start again.',
  },
  read_remote_again: {
    automatic: true,
    title: 'The next ship reads origin/main again and records what was pushed.',
  },
  retry_when_reachable: {
    automatic: true,
    title: 'HQ tries again when the remote or host answers.',
  },
  restart_hostd: {
    automatic: true,
    title: 'The host starts hostd again; HQ reconnects by itself.',
  },
  restart_service: {
    automatic: true,
    title: 'Guard starts the service again, in the version that was recorded.',
  },
  restart_container: { automatic: true, title: 'Guard restarts the container.' },
  enable_timer: { automatic: true, title: 'Guard enables and starts the timer again.' },
  seal_again: { automatic: true, title: 'The next run seals the proof that was left unsealed.' },
  deploy_again: {
    automatic: true,
    title: 'The next deploy fetches main again and starts from the first step.',
  },
  // by a person, in HQ or in the repository
  fix_and_ship: {
    automatic: false,
    title: 'Fix the change, commit it, and press Ship.',
    console: 'Fix the change on the laptop, and ship it there.',
  },
  choose_own_clone: {
    automatic: false,
    title: 'Choose a clone in Settings that belongs to you, or have this one given to you.',
  },
  use_whole_clone: {
    automatic: false,
    title: 'Start again when origin answers, or use a clone without a limit of depth or a filter.',
  },
  provide_lfs_content: {
    automatic: false,
    title:
      'Install Git LFS where the detail says that content is missing, or keep the files in git itself.',
  },
  untrack_artifacts: {
    automatic: false,
    title: 'Move the listed files out of artifacts/, commit, and press Ship.',
    console: 'Move the listed files out of artifacts/ on the laptop, and ship it there.',
  },
  fix_findings_and_ship: {
    automatic: false,
    title: 'Fix the findings listed on the Ship page, commit, and press Ship.',
    console: 'Fix the findings on the laptop, where HQ lists them, and ship again.',
  },
  remove_secret: {
    automatic: false,
    title:
      'Remove the secret from the commit and revoke it where it was issued. ' +
      'If it is not a secret, add the comment `openclaw-allow-secret: reason` to its line.',
  },
  vendor_submodule: {
    automatic: false,
    title:
      'Copy the content into the repository instead of a submodule: no diff shows what a submodule holds.',
  },
  fix_test_setup: {
    automatic: false,
    title:
      'Make the preparation of the tests work: the detail quotes its first error. ' +
      'It may install into the tree of the tests only; pip takes a virtual environment there.',
  },
  fix_test_report: {
    automatic: false,
    title: 'Make each test command of openclaw.config.json write its JUnit report.',
  },
  unskip_tests: {
    automatic: false,
    title:
      'Run the skipped tests, or list each in openclaw.config.json with a reason and an expiry date.',
  },
  ship_again: {
    automatic: false,
    title: 'Press Ship again; the review starts from the beginning.',
    console: 'Ship again in HQ on the laptop; the review starts from the beginning.',
  },
  ship_the_commit: {
    automatic: false,
    title: 'Press Ship on the laptop so that the commit is reviewed.',
    console: 'Ship on the laptop, so that the commit is reviewed.',
  },
  ship_from_laptop: {
    automatic: false,
    title: 'Ship from the laptop; a production host only pulls.',
  },
  restore_main: {
    automatic: false,
    title:
      'Put the commit named in the detail back on main and ship on top of it. ' +
      'To go back, press Roll back in HQ. If the new history is intended, set the baseline in ' +
      'trust.json on the host to a commit of it.',
  },
  ship_from_hq: {
    automatic: false,
    title:
      'Press Ship in HQ, which opens the keystore, or move the ship key to a file in HQ Settings.',
    console: 'Ship in HQ on the laptop, which opens the keystore.',
  },
  choose_green_commit: {
    automatic: false,
    title: 'Ship a fix, or roll back to a commit that was green and whose build is kept.',
  },
  ship_or_unpin: {
    automatic: false,
    title:
      'Ship a fix; the next deploy brings it. To deploy the rolled-back commit all the same, press ' +
      'Deploy the newest again on the Deploy page of HQ.',
  },
  start_again: { automatic: false, title: 'Start the action again in HQ.' },
  close_live_logs: { automatic: false, title: 'Close other windows of HQ that show a live log.' },
  split_change: {
    automatic: false,
    title: 'Split the change into smaller commits and ship them one by one.',
  },
  commit_changes: { automatic: false, title: 'Commit the changes that you want to ship.' },
  finish_git_operation: {
    automatic: false,
    title: 'Finish or abort the merge, rebase or cherry-pick in the repository.',
  },
  unhide_changes: {
    automatic: false,
    title: 'Clear the skip-worktree and assume-unchanged flags of the listed files.',
  },
  mend_commit: {
    automatic: false,
    title:
      'Fix what stops git from committing in this repository: the identity, a hook or a signing key. ' +
      'The detail quotes git.',
  },
  remove_replace_refs: { automatic: false, title: 'Delete the replace refs of the repository.' },
  switch_to_main: { automatic: false, title: 'Switch the repository to its main branch.' },
  integrate_remote: {
    automatic: false,
    title: 'Bring origin/main into the branch, then press Ship.',
    console: 'Bring origin/main into the branch on the laptop, and ship there.',
  },
  restore_git_hooks: {
    automatic: false,
    title: 'Remove the setting that turns git hooks off; the detail names it.',
  },
  join_hook_manager: {
    automatic: false,
    title:
      'Remove the hook manager named in the detail, or let its pre-push hook run the check of HQ as well.',
  },
  unset_codex_skip: { automatic: false, title: 'Start HQ without CODEX_SKIP in its environment.' },
  move_program: {
    automatic: false,
    title:
      'Choose a Codex program outside the repository, or none: HQ brings its own. The detail names the file.',
  },
  choose_repository: {
    automatic: false,
    title: 'Choose a git repository in HQ Settings.',
    console: 'Choose a git repository in the settings of HQ on the laptop.',
  },
  correct_setting: {
    automatic: false,
    title: 'Correct the setting that the message names, and save again.',
  },
  fix_configuration: {
    automatic: false,
    title: 'Correct the field of the file, or the environment variable, that the detail names.',
  },
  add_configuration: {
    automatic: false,
    title: 'Add openclaw.config.json at the top of the repository, and commit it.',
  },
  set_baseline: {
    automatic: false,
    title:
      'Correct the baseline of this repository in the operator settings: the commit of main after ' +
      'which every change is reviewed.',
  },
  set_next_action: {
    automatic: false,
    title: 'Set exactly one next action on the Ship page.',
    console: 'Set exactly one next action in HQ on the laptop.',
  },
  connect_codex: {
    automatic: false,
    title:
      'Sign Codex in on this laptop, or choose a review provider in HQ Settings that has its credential.',
    console: 'Sign Codex in on the laptop that ships.',
  },
  accept_review_provider: {
    automatic: false,
    title:
      'Choose a review provider in HQ Settings that the host accepts; trust.json on the host lists them.',
    console: 'Add the review provider to trust.json on the host, or ship with an accepted one.',
  },
  allow_push: {
    automatic: false,
    title: 'Give the laptop push access to origin, or fix the hook of the remote that refused.',
  },
  satisfy_push_hook: {
    automatic: false,
    title: 'Do what the pre-push hook of the repository asks for, then press Ship.',
    console: 'Do on the laptop what the pre-push hook of the repository asks for, then ship there.',
  },
  unify_origin_address: {
    automatic: false,
    title:
      'Let a push of origin go only to the address that origin is read from: correct remote.origin.pushurl, ' +
      'remote.origin.url or url.*.pushInsteadOf in the git configuration.',
  },
  prepare_origin: {
    automatic: false,
    title:
      'Let origin take and show refs below refs/openclaw/ and atomic pushes, and turn off signed pushes if it does ' +
      'not support them or cannot check them; the detail names what it refused.',
  },
  follow_origin_rules: {
    automatic: false,
    title:
      'Take the exception from the account of the laptop, or change the rule of origin that the detail names: ' +
      'the next push then follows the rules. A commit that was pushed is reviewed and can be deployed.',
  },
  remove_check_first: {
    automatic: false,
    title:
      'Remove a check one deploy before what it checks: deploy the change of openclaw.config.json ' +
      'that the detail names, then the rest.',
  },
  move_untracked_files: {
    automatic: false,
    title:
      'Move what the detail names out of the clone on the host, or delete it. Then press Deploy again.',
  },
  // on a host
  ...hostRemediations,
} as const satisfies Record<string, Remediation>

export type RemediationId = keyof typeof remediations
export const remediationIds = Object.keys(remediations) as [RemediationId, ...RemediationId[]]
