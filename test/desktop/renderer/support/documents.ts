import type {
  CheckResult,
  ChecksResult,
  DeployResult,
  ShipResult,
  StepResult,
} from '#shared/result'

export const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()
export const head = '4c1e9b7e02f1a3b5c7d9e1f30415263748596a7b'
export const before = '9d02a51c8e7f6a5b4c3d2e1f00112233445566aa'
export const sha256 = 'a'.repeat(24) + '5be0c2f7' + 'd'.repeat(32)
export const idAt = (secondsAgo: number, tail: string): string =>
  `${ago(secondsAgo)
    .replace(/[-:]/g, '')
    .replace(/\.\d{3}/, '')}-${tail}`

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
export const typical: Record<string, number> = {
  ship: 243_000,
  'ship/preflight': 900,
  'ship/tests': 48_000,
  'ship/review_auto': 182_000,
  'ship/check_fail_closed_push': 1_100,
  'ship/review_finish': 1_900,
  deploy_and_verify: 237_000,
  'deploy_and_verify/assert_production_pull_only': 1_200,
  'deploy_and_verify/git_sync': 3_400,
  'deploy_and_verify/hostd_install': 11_800,
  'deploy_and_verify/console_build': 140_000,
  'deploy_and_verify/docker_compose': 18_000,
  'deploy_and_verify/verify_production': 34_000,
  'deploy_and_verify/console_route_gate': 6_000,
  'deploy_and_verify/dod_production': 22_000,
  'deploy_and_verify/update_project_state': 1_000,
}

/** Steps of a run that failed at `failed`, or passed. */
export function steps(
  names: readonly string[],
  failed: string | null = null,
  detail: string | null = null,
): StepResult[] {
  const stop = failed === null ? names.length : names.indexOf(failed)
  return names.map((name, at) => {
    const ms = (typical[`ship/${name}`] ?? typical[`deploy_and_verify/${name}`] ?? 1000) * 0.98
    return at > stop
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
          status: at === stop ? 'failed' : 'passed',
          started_at: ago(600),
          duration_ms: Math.round(ms),
          log: `${name}.log`,
          detail: at === stop ? detail : name === 'preflight' ? '18 rules' : null,
        }
  })
}

export function shipResult(over: Partial<ShipResult> = {}): ShipResult {
  return {
    schema_version: 1,
    run_id: idAt(400, 'a1b2c3d4'),
    overall: 'PASS',
    step_failed: null,
    error_class: null,
    next_auto_fix: null,
    git_head: head,
    git_tree: before,
    started_at: ago(420),
    finished_at: ago(180),
    steps: steps(shipSteps),
    artifacts: {
      ship_result: 'ship_result.json',
      verdict: 'verdict.json',
      review: 'review.jsonl',
      log_tests: 'tests.log',
      log_review_auto: 'review_auto.log',
    },
    since_sha: before,
    verdict_id: 'v-1',
    pushed_sha: head,
    remote_sha: head,
    scripted_review: false,
    tests: [
      { name: 'pytest', total: 1284, passed: 1284, failed: 0, skipped: 0 },
      { name: 'ops_selftests', total: 7, passed: 7, failed: 0, skipped: 0 },
    ],
    ...over,
  }
}

export function deployResult(over: Partial<DeployResult> = {}): DeployResult {
  return {
    schema_version: 1,
    run_id: idAt(10_800, 'c02b77d4'),
    overall: 'PASS',
    step_failed: null,
    error_class: null,
    next_auto_fix: null,
    git_head: before,
    git_tree: head,
    started_at: ago(11_031),
    finished_at: ago(10_800),
    steps: steps(deploySteps),
    artifacts: { deploy_result: 'deploy_result.json' },
    attempt: 1,
    target_sha: before,
    previous_sha: head,
    engine: 'process',
    unanswered_ms: 420,
    ...over,
  }
}

export const check = (
  name: string,
  status: CheckResult['status'],
  detail: string,
  remedy: CheckResult['remedy'] = null,
): CheckResult => ({ name, status, detail, remedy, duration_ms: 40 + name.length * 7 })
const doctorNames = [
  'hostd_health',
  'hostd_version',
  'head_is_target',
  'origin_reachable',
  'pull_only',
  'project_state',
  'disk_root',
  'disk_state',
  'inodes',
  'memory',
  'load',
  'clock',
  'services_up',
  'endpoints_ok',
  'console_up',
  'console_routes',
  'ports_public',
  'token_file',
  'trust_file',
  'artifacts_writable',
  'state_writable',
  'timers',
  'run_locks',
  'maintenance_age',
]
export const doctorChecks = doctorNames.map((name) =>
  name === 'disk_root'
    ? check(name, 'WARN', '81 % full, fails at 85 %', 'free_disk')
    : name === 'timers'
      ? check(name, 'SKIP', 'no systemd on this host')
      : check(name, 'PASS', 'as it should be'),
)

export function checks(
  kind: ChecksResult['kind'],
  list: CheckResult[],
  secondsAgo: number,
  tail: string,
): ChecksResult {
  return {
    schema_version: 1,
    run_id: idAt(secondsAgo, tail),
    overall: list.some(({ status }) => status === 'FAIL') ? 'FAIL' : 'PASS',
    step_failed: null,
    error_class: null,
    next_auto_fix: null,
    git_head: before,
    git_tree: null,
    started_at: ago(secondsAgo + 2),
    finished_at: ago(secondsAgo),
    steps: [],
    artifacts: {},
    kind,
    deploy_run_id: null,
    checks: list,
  }
}
