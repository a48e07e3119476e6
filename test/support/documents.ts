import type { StatusReply } from '#shared/api'
import type { DeployResult, DodResult, ShipResult, StepResult } from '#shared/result'

/** Valid result documents for tests that judge documents. Each takes what it should differ in. */
export const shipRun = '20261122T120000Z-aaaaaaaa'
export const deployRun = '20261122T121000Z-bbbbbbbb'
const time = '2026-11-22T12:00:00.000Z'

export const steps = (names: string[], failed?: string): StepResult[] => {
  const at = failed === undefined ? names.length : names.indexOf(failed)
  return names.map((name, n) =>
    n > at
      ? {
          name,
          status: 'not_reached',
          started_at: null,
          duration_ms: null,
          log: null,
          detail: null,
        }
      : {
          name,
          status: n === at ? 'failed' : 'passed',
          started_at: time,
          duration_ms: 1000,
          log: `${name}.log`,
          detail: null,
        },
  )
}

export const shipSteps = [
  'preflight',
  'tests',
  'review_auto',
  'check_fail_closed_push',
  'review_finish',
]
export const deploySteps = [
  'assert_production_pull_only',
  'git_sync',
  'hostd_install',
  'console_build',
  'docker_compose',
  'verify_production',
  'console_route_gate',
  'dod_production',
  'update_project_state',
]

const common = (
  run_id: string,
  git_head: string,
): Pick<
  ShipResult,
  | 'schema_version'
  | 'run_id'
  | 'overall'
  | 'step_failed'
  | 'error_class'
  | 'next_auto_fix'
  | 'git_head'
  | 'git_tree'
  | 'started_at'
  | 'finished_at'
  | 'artifacts'
> => ({
  schema_version: 1,
  run_id,
  overall: 'PASS',
  step_failed: null,
  error_class: null,
  next_auto_fix: null,
  git_head,
  git_tree: '1'.repeat(40),
  started_at: time,
  finished_at: time,
  artifacts: {},
})

export const shipDocument = (commit: string, more: Partial<ShipResult> = {}): ShipResult => ({
  ...common(shipRun, commit),
  steps: steps(shipSteps),
  since_sha: '0'.repeat(40),
  verdict_id: 'v1',
  pushed_sha: commit,
  remote_sha: commit,
  scripted_review: false,
  tests: [],
  ...more,
})
export const deployDocument = (commit: string, more: Partial<DeployResult> = {}): DeployResult => ({
  ...common(deployRun, commit),
  steps: steps(deploySteps),
  attempt: 1,
  target_sha: commit,
  previous_sha: null,
  engine: 'process',
  unanswered_ms: 12,
  ...more,
})
export const dodDocument = (commit: string, more: Partial<DodResult> = {}): DodResult => ({
  ...common('20261122T121100Z-cccccccc', commit),
  steps: [],
  deploy_run_id: deployRun,
  doctor_run_id: '20261122T121101Z-dddddddd',
  joined: false,
  checks: [],
  ...more,
})

/** The status of a host that has just been deployed to, green. */
export const greenStatus = (commit: string): StatusReply => ({
  ok: true,
  host: {
    name: 'aiops-1',
    version: '0.1.0',
    time,
    engine: 'process',
    timers: 'none',
    serving: commit,
  },
  state: {
    schema_version: 1,
    last_deploy_timestamp: time,
    last_deploy_run_id: deployRun,
    last_verified_head: commit,
    target_sha: commit,
    next_action: null,
    last_doctor_result: { run_id: deployRun, overall: 'PASS', finished_at: time },
    last_guard_result: { run_id: deployRun, overall: 'PASS', finished_at: time },
  },
  maintenance: { on: false, unreadable: null, file: null },
  last_ship: {
    ok: true,
    run_id: shipRun,
    overall: 'PASS',
    result: shipDocument(commit),
    artifact_dir: `ship/${shipRun}`,
    verification: 'unverified',
  },
  last_deploy: {
    ok: true,
    run_id: deployRun,
    overall: 'PASS',
    result: deployDocument(commit),
    artifact_dir: `deploy/${deployRun}`,
    triage: null,
  },
  last_dod: {
    ok: true,
    run_id: deployRun,
    overall: 'PASS',
    result: dodDocument(commit),
    artifact_dir: `deploy/${deployRun}`,
  },
  last_doctor: null,
  last_guard: null,
  last_port_audit: null,
  bundles: {
    ship: { run_id: shipRun, complete: true, missing: [], verification: 'unverified' },
    deploy: { run_id: deployRun, complete: true, missing: [], verification: 'unverified' },
  },
  active_runs: [],
  recent_deploys: [],
})
