import type { ErrorRow } from './row.ts'

/** Failure classes of runs in general: how they start, stop and store what they write. */
export const runErrors = {
  cancelled: {
    next_auto_fix: 'start_again',
    title: 'Cancelled run',
    sentence: 'The run was cancelled',
  },
  interrupted: {
    next_auto_fix: 'start_again',
    title: 'Interrupted run',
    sentence: 'The run was interrupted',
  },
  step_timeout: {
    next_auto_fix: 'start_again',
    title: 'Step time limit',
    sentence: 'A step took longer than its limit',
  },
  action_no_result: {
    next_auto_fix: 'start_again',
    title: 'Missing result',
    sentence: 'The run ended without a result',
  },
  runner_lost: {
    next_auto_fix: 'start_again',
    title: 'Lost run',
    sentence: 'The process of the run is gone and wrote no result',
  },
  runner_start_failed: {
    http: 500,
    next_auto_fix: 'start_again',
    title: 'Run not started',
    sentence: 'The run could not be started',
  },
  lane_busy: {
    retryable: true,
    http: 409,
    next_auto_fix: 'wait_for_active_run',
    title: 'Occupied lane',
    sentence: 'Another run holds the lane',
  },
  disk_full: {
    http: 507,
    next_auto_fix: 'free_disk',
    title: 'Full disk',
    sentence: 'The disk is full',
  },
  storage_read_only: {
    http: 507,
    next_auto_fix: 'make_storage_writable',
    title: 'Read-only disk',
    sentence: 'The disk is read-only',
  },
  internal_error: {
    http: 500,
    next_auto_fix: 'report_bug',
    title: 'Defect of HQ',
    sentence: 'A defect of HQ caused this failure',
  },
  ALREADY_RUNNING: {
    retryable: true,
    http: 409,
    next_auto_fix: 'join_active_run',
    title: 'Run already active',
    sentence: 'A run of this kind is already active',
  },
  MAINTENANCE_MODE: {
    retryable: true,
    http: 503,
    next_auto_fix: 'wait_for_deploy',
    title: 'Maintenance mode',
    sentence: 'The host is in maintenance',
  },
} as const satisfies Record<string, ErrorRow>
