import type { StatusReply } from '#shared/api'
import {
  procedures,
  type BridgeProblem,
  type Overview,
  type ProcedureName,
  type ShipDetail,
} from '#shared/bridge'
import type { EventBody, RunEvent } from '#shared/events'
import type { ShipResult } from '#shared/result'
import type { Run } from '#shared/run'
import type { Finding } from '#shared/verdict'
import { diff } from './sample-diff.ts'
import {
  ago,
  head,
  before,
  idAt,
  shipResult,
  deployResult,
  doctorChecks,
  checks,
  sha256,
  typical,
  check,
} from './documents.ts'

/** Everything a scripted transport answers. Answers are keyed by procedure, or by procedure and input. */
export interface Scene {
  answers: Record<string, unknown>
  problems: Record<string, BridgeProblem>
  events: Record<string, unknown[]>
  /** Runs whose stream stays open. */
  live: string[]
  /** Per run: after which number each successive stream is cut. */
  cutAt: Record<string, number[]>
}

export function run(over: Partial<Run> & Pick<Run, 'run_id'>): Run {
  return {
    action: 'deploy_and_verify',
    lane: 'deploy',
    params: {},
    actor: 'operator@laptop',
    deploy_run_id: null,
    status: 'passed',
    requested_at: ago(300),
    started_at: ago(299),
    finished_at: ago(60),
    error_class: null,
    step_failed: null,
    ...over,
  }
}

/** The last 24 deploys, three of them red. */
export const history: Run[] = Array.from({ length: 23 }, (_, at) => {
  const start = 10_800 + at * 7_200
  const red = at === 1 || at === 8 || at === 16
  const length = red ? (at === 16 ? 70 : 330) : 215 + ((at * 37) % 40)
  return run({
    run_id: idAt(start, `c02b77${(16 + at).toString(16)}`),
    status: red ? 'failed' : 'passed',
    error_class: red ? (at === 16 ? 'git_fetch_failed' : 'service_unhealthy') : null,
    step_failed: red ? (at === 16 ? 'git_sync' : 'docker_compose') : null,
    requested_at: ago(start),
    started_at: ago(start),
    finished_at: ago(start - length),
  })
})

export function status(over: Partial<StatusReply> = {}): StatusReply {
  const deploy = deployResult()
  return {
    ok: true,
    host: {
      name: 'aiops-1',
      version: '0.1.0',
      time: ago(0),
      engine: 'process',
      timers: 'none',
      serving: before,
    },
    state: {
      schema_version: 1,
      last_deploy_timestamp: ago(10_800),
      last_deploy_run_id: deploy.run_id,
      last_verified_head: before,
      target_sha: before,
      last_doctor_result: { run_id: deploy.run_id, overall: 'PASS', finished_at: ago(10_810) },
      last_guard_result: { run_id: deploy.run_id, overall: 'PASS', finished_at: ago(10_805) },
      next_action: 'Connect Gmail the desktop way, then run Phase 0.',
    },
    maintenance: { on: false, unreadable: null, file: null },
    last_ship: {
      ok: true,
      run_id: null,
      overall: null,
      result: null,
      artifact_dir: null,
      verification: null,
    },
    last_deploy: {
      ok: true,
      run_id: deploy.run_id,
      overall: 'PASS',
      result: deploy,
      artifact_dir: `deploy/${deploy.run_id}`,
      triage: null,
    },
    last_dod: {
      ok: true,
      run_id: deploy.run_id,
      overall: 'PASS',
      artifact_dir: null,
      result: {
        schema_version: 1,
        run_id: deploy.run_id,
        overall: 'PASS',
        step_failed: null,
        error_class: null,
        next_auto_fix: null,
        git_head: before,
        git_tree: null,
        started_at: ago(10_840),
        finished_at: ago(10_819),
        steps: [],
        artifacts: {},
        deploy_run_id: deploy.run_id,
        doctor_run_id: idAt(10_830, '00aa11bb'),
        joined: true,
        checks: [],
      },
    },
    last_doctor: checks('doctor', doctorChecks, 540, 'd0c70001'),
    last_guard: checks(
      'guard',
      [
        check('maintenance_observed', 'PASS', 'off'),
        check('services', 'PASS', 'Nothing to repair'),
      ],
      360,
      '9a4d0001',
    ),
    last_port_audit: checks(
      'port_audit',
      [
        check('127.0.0.1:8787', 'PASS', 'console · loopback'),
        check('127.0.0.1:8877', 'PASS', 'hostd · loopback'),
        check('100.96.14.7:443', 'PASS', 'serve · tailnet'),
      ],
      540,
      '90470001',
    ),
    bundles: { ship: null, deploy: null },
    active_runs: [],
    recent_deploys: history,
    ...over,
  }
}

type OverviewParts = Partial<Omit<Overview, 'status'>> & {
  status?: StatusReply | null
  ship?: Overview['ship']
  deployStep?: string | null
}

/** The overview as the operator's service composes it, gates included. */
export function overview({ deployStep = null, ...over }: OverviewParts = {}): Overview {
  const ship =
    over.ship === undefined
      ? { run_id: shipResult().run_id, active: false, step: null, result: shipResult() }
      : over.ship
  const host = over.status === undefined ? status() : over.status
  const active = host?.active_runs.find(({ lane }) => lane === 'deploy')?.run_id ?? null
  return {
    connection: {
      name: 'aiops-1',
      url: 'https://aiops-1.example.ts.net',
      state: 'online',
      detail: null,
      latency_ms: 12,
      as_of: ago(0),
    },
    repository: {
      name: 'ai-ops-runner',
      branch: 'main',
      head,
      subject: 'Show the age of every gate',
      remote: head,
      ahead: 0,
      behind: 0,
      dirty_files: 0,
      next_action: 'Connect Gmail the desktop way, then run Phase 0.',
      ship_blocked: 'Nothing to ship: origin/main has every commit.',
    },
    place: 'laptop',
    ship_result: ship?.result ?? null,
    ship_proof: null,
    deploy:
      deployStep === null || active === null
        ? null
        : { run_id: active, step: deployStep, commit: head },
    usual_ms: typical,
    upload: { queued: 0, detail: null },
    ...over,
    ship,
    status: host,
  }
}

export const info = (over: object = {}): object => ({
  mode: 'desktop',
  version: '0.1.0',
  platform: 'linux',
  operator: true,
  demo: false,
  ...over,
})
export const settings = {
  repository: '/home/operator/ai-ops-runner',
  host: { name: 'aiops-1', url: 'https://aiops-1.example.ts.net', token_set: true },
  theme: 'system',
  keystore: 'os',
  until_green: { repairs: 0, implementer: 'Codex, gpt-5.2-codex' },
  review: {
    model: 'gpt-5.2-codex',
    provider: 'openai',
    providers: [
      {
        id: 'openai',
        label: 'OpenAI',
        base_url: 'https://api.openai.com/v1',
        scripted: false,
        credential: 'present',
      },
      {
        id: 'demo',
        label: 'Demo script',
        base_url: 'http://127.0.0.1:45123/v1',
        scripted: true,
        credential: 'missing',
      },
    ],
  },
}

export const findings: Finding[] = [
  {
    severity: 'blocking',
    file: 'hostd/routes/artifacts.ts',
    line: 40,
    title: 'A sibling folder passes this check',
    body:
      'startsWith also accepts a path in artifacts-old, so a file outside the root can be ' +
      'read. Compare with path.relative, as before.',
  },
  {
    severity: 'note',
    file: 'hostd/routes/artifacts.ts',
    line: 42,
    title: 'The cache never forgets',
    body: 'A rewritten artifact is served from memory until hostd restarts. Key it by mtime.',
  },
]

export function shipDetail(result: ShipResult, over: Partial<ShipDetail> = {}): ShipDetail {
  const approved = result.overall === 'PASS'
  return {
    summary: { run_id: result.run_id, active: false, step: null, result },
    findings: [],
    diff,
    files: ['hostd/routes/artifacts.ts', 'shared/errors.ts', 'test/hostd/artifacts.test.ts'],
    verdict: approved
      ? {
          schema_version: 1,
          verdict_id: 'v-1',
          run_id: result.run_id,
          verdict: 'APPROVED',
          repository: 'ai-ops-runner',
          base_sha: before,
          head_sha: head,
          tree_sha: before,
          diff_sha256: sha256,
          prompt_sha256: sha256,
          nonce: '9f8e7d6c5b4a',
          files: [
            {
              path: 'hostd/routes/artifacts.ts',
              status: 'modified',
              binary: false,
              additions: 5,
              deletions: 1,
            },
            {
              path: 'shared/errors.ts',
              status: 'modified',
              binary: false,
              additions: 6,
              deletions: 0,
            },
            {
              path: 'test/hostd/artifacts.test.ts',
              status: 'modified',
              binary: false,
              additions: 24,
              deletions: 7,
            },
          ],
          findings: [],
          summary: 'The change reads artifacts from a cache and keeps the checks of the path.',
          gate_settings_changed: [],
          reviewer: {
            cli: 'codex',
            cli_version: '0.169.0',
            model: 'gpt-5.2-codex',
            provider_id: 'openai',
            base_url: 'https://api.openai.com/v1',
            scripted: result.scripted_review,
          },
          usage: null,
          created_at: ago(190),
        }
      : null,
    signature: approved ? 'verified' : null,
    ...over,
  }
}

/** Numbers events the way a run's log does. */
export const numbered = (events: readonly EventBody[]): RunEvent[] =>
  events.map((event, at) => ({ ...event, seq: at + 1 }))
export const line = (text: string, step: string | null = null, secondsAgo = 60): EventBody => ({
  type: 'log',
  time: ago(secondsAgo),
  step,
  stream: 'stdout',
  text,
})

/** A scene whose answers are all of the agreed form; a typing error in it fails here, not in the page. */
export function scene(
  answers: { [P in ProcedureName]?: unknown } & Record<string, unknown>,
  over: Partial<Omit<Scene, 'answers'>> = {},
): Scene {
  const all: Record<string, unknown> = {
    'app.info': info(),
    'overview.get': overview(),
    'settings.get': settings,
    'ship.list': { ships: [] },
    'host.runs': { ok: true, runs: history, next_cursor: null },
    'host.artifacts': { ok: true, path: '', entries: [] },
    'ship_key.get': {
      key: { id: 'd'.repeat(32), public_key: '-----BEGIN PUBLIC KEY-----' },
      kept: 'os',
      can_move: 'file',
      keystore: 'os',
      host: { name: 'aiops-1', enrolled: true, others: [], detail: null },
    },
    'connectors.get': {
      host: { ok: false, seen: null, connectors: null, last_phase0: null },
      as_of: ago(1),
      problem: null,
      flows: [],
      kept: [],
    },
    'proofs.list': { witnesses: [], bundles: [], next_cursor: null, host: null },
    ...answers,
  }
  for (const [key, value] of Object.entries(all)) {
    const name = key.split(' ')[0] as ProcedureName
    procedures[name].output.parse(value)
  }
  return { answers: all, problems: {}, events: {}, live: [], cutAt: {}, ...over }
}
