import type { ErrorRow } from './row.ts'

/** Failure classes of a deploy, a rollback and the checks that end them. */
export const deployErrors = {
  // source
  production_can_push: {
    blocked: true,
    next_auto_fix: 'make_remote_read_only',
    title: 'Host with push access',
    sentence: 'The host could push to origin',
  },
  push_probe_inconclusive: {
    next_auto_fix: 'retry_when_reachable',
    title: 'Inconclusive push probe',
    sentence: 'It is not certain that the host cannot push',
  },
  git_fetch_failed: {
    next_auto_fix: 'retry_when_reachable',
    title: 'Failed fetch',
    sentence: 'The host could not fetch from origin',
  },
  git_sync_failed: {
    next_auto_fix: 'deploy_again',
    title: 'Failed checkout',
    sentence: 'The host could not switch to the commit',
  },
  untracked_in_the_way: {
    blocked: true,
    next_auto_fix: 'move_untracked_files',
    title: 'Untracked files in the way',
    sentence: 'The clone of the host holds untracked files where the commit has its own',
  },
  deploy_check_removed: {
    blocked: true,
    next_auto_fix: 'remove_check_first',
    title: 'Removed check of the deploy',
    sentence: 'The commit removes a check together with what it checks',
  },
  main_rewound: {
    blocked: true,
    next_auto_fix: 'restore_main',
    title: 'Rewound branch',
    sentence: 'origin/main was moved back or replaced',
  },
  unreviewed_commit: {
    blocked: true,
    next_auto_fix: 'ship_the_commit',
    title: 'Unreviewed commit',
    sentence: 'The commit has no approved review',
  },
  provider_not_accepted: {
    blocked: true,
    next_auto_fix: 'accept_review_provider',
    title: 'Unaccepted reviewer',
    sentence: 'The verdict is by a reviewer that the host does not accept',
  },
  rollback_unavailable: {
    blocked: true,
    next_auto_fix: 'choose_green_commit',
    title: 'No version to roll back to',
    sentence: 'There is no version to roll back to',
  },
  rolled_back: {
    blocked: true,
    next_auto_fix: 'ship_or_unpin',
    title: 'Rolled-back commit',
    sentence: 'origin/main still holds the commit that a rollback replaced',
  },
  // build and start
  funnel_on: {
    blocked: true,
    next_auto_fix: 'close_tailscale_serve',
    title: 'Funnel is on',
    sentence: 'Tailscale Funnel opens the host to the public internet',
  },
  funnel_unknown: {
    blocked: true,
    next_auto_fix: 'join_tailnet',
    title: 'Not known whether Funnel is on',
    sentence: 'Tailscale runs on the host, but does not say what it serves',
  },
  hostd_unhealthy: {
    next_auto_fix: 'restart_hostd',
    title: 'Unhealthy hostd',
    sentence: 'hostd is not healthy',
  },
  hostd_install_failed: {
    next_auto_fix: 'fix_and_ship',
    title: 'Failed hostd installation',
    sentence: 'hostd could not be installed',
  },
  console_build_failed: {
    next_auto_fix: 'fix_and_ship',
    title: 'Failed build',
    sentence: 'The build failed',
  },
  docker_compose_failed: {
    next_auto_fix: 'fix_and_ship',
    title: 'Services not started',
    sentence: 'The services did not start',
  },
  docker_unreachable: {
    next_auto_fix: 'start_docker',
    title: 'Unreachable Docker',
    sentence: 'Docker does not answer on the host',
  },
  port_in_use: {
    next_auto_fix: 'free_port',
    title: 'Port in use',
    sentence: 'A port is taken by another process',
  },
  service_unhealthy: {
    next_auto_fix: 'fix_and_ship',
    title: 'Unhealthy service',
    sentence: 'A service is not healthy',
  },
  // verification
  public_port: {
    blocked: true,
    next_auto_fix: 'close_public_port',
    title: 'Public port',
    sentence: 'A port is reachable from outside',
  },
  endpoint_not_ok: {
    next_auto_fix: 'fix_and_ship',
    title: 'Failing endpoint',
    sentence: 'An endpoint does not answer ok',
  },
  doctor_failed: {
    next_auto_fix: 'follow_doctor',
    title: 'Failed doctor',
    sentence: 'Doctor found something wrong',
  },
  guard_failed: {
    next_auto_fix: 'follow_doctor',
    title: 'Failed guard',
    sentence: 'Guard found something wrong',
  },
  running_version_mismatch: {
    next_auto_fix: 'deploy_again',
    title: 'Wrong version running',
    sentence: 'The running version is not the one that was built',
  },
  state_invalid: {
    next_auto_fix: 'deploy_again',
    title: 'Invalid project state',
    sentence: 'The project state is not valid',
  },
  route_missing: {
    next_auto_fix: 'fix_and_ship',
    title: 'Missing route',
    sentence: 'A route is missing',
  },
  missing_route_dod_last: {
    next_auto_fix: 'fix_and_ship',
    title: 'Missing DoD route',
    sentence: 'The route of the last Definition of Done is missing',
  },
  dod_failed: {
    next_auto_fix: 'follow_doctor',
    title: 'Failed Definition of Done',
    sentence: 'The Definition of Done failed',
  },
  dod_failed_joinable_409: {
    retryable: true,
    next_auto_fix: 'join_active_run',
    title: 'Doctor already running',
    sentence: 'A doctor run was already active when the Definition of Done began',
  },
  state_not_written: {
    next_auto_fix: 'repair_state_folder',
    title: 'State not written',
    sentence: 'The project state was not written',
  },
  maintenance_held: {
    blocked: true,
    next_auto_fix: 'end_maintenance',
    title: 'Maintenance by a person',
    sentence: 'A person holds maintenance mode on the host',
  },
  maintenance_not_written: {
    http: 500,
    next_auto_fix: 'repair_artifacts_folder',
    title: 'Maintenance not set',
    sentence: 'Maintenance mode could not be set',
  },
  selftest_failed: {
    next_auto_fix: 'report_bug',
    title: 'Failed self-test',
    sentence: 'A guard did not refuse a violation of the self-test',
  },
  green_check_failed: {
    next_auto_fix: 'deploy_again',
    title: 'Failed final check',
    sentence: 'The final check found something that is not green',
  },
  attempts_exhausted: {
    next_auto_fix: 'fix_and_ship',
    title: 'Attempts exhausted',
    sentence: 'Every attempt failed',
  },
} as const satisfies Record<string, ErrorRow>
