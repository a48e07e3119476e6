import type { EventBody } from '#shared/events'
import type { RunDetail } from '#shared/api'
import type { Triage } from '#shared/result'
import {
  ago,
  before,
  deployResult,
  deploySteps,
  findings,
  head,
  idAt,
  info,
  line,
  history,
  numbered,
  overview,
  run,
  scene,
  shipDetail,
  shipResult,
  shipSteps,
  status,
  steps,
  type Scene,
} from './scenes.ts'

const list = (...ships: object[]): object => ({ ships })

/** A deploy that is building the console. */
export function deploying(): Scene & { runId: string } {
  const runId = idAt(134, '8f3a9c1e')
  const active = run({
    run_id: runId,
    status: 'running',
    requested_at: ago(135),
    started_at: ago(134),
    finished_at: null,
  })
  const log: EventBody[] = [
    {
      type: 'run_started',
      time: ago(134),
      action: 'deploy_and_verify',
      steps: deploySteps,
      attempt: 1,
    },
  ]
  const pass = (step: string, from: number, ms: number): void => {
    log.push({ type: 'step_started', time: ago(from), step }, line(`${step} starts`, step, from), {
      type: 'step_finished',
      time: ago(from - ms / 1000),
      step,
      status: 'passed',
      duration_ms: ms,
      detail: null,
      error_class: null,
    })
  }
  pass('assert_production_pull_only', 134, 1_200)
  pass('git_sync', 132, 3_400)
  pass('hostd_install', 129, 11_800)
  log.push({ type: 'step_started', time: ago(117), step: 'console_build' })
  for (let at = 0; at < 240; at += 1)
    log.push(
      line(
        at % 9 === 4
          ? `\u001b[90m#16 ${(at / 9).toFixed(3)}\u001b[0m \u001b[32m✓\u001b[0m ${at} modules transformed.`
          : at % 31 === 7
            ? `\u001b[33m[plugin css] warning\u001b[0m: glob import matches 0 files: ./icons/*.svg`
            : `#16 ${(at / 9).toFixed(3)} dist/renderer/assets/index-${at}.js   ${(at * 3.7).toFixed(2)} kB`,
        'console_build',
        117 - at / 3,
      ),
    )
  const maintenance = {
    on: true,
    unreadable: null,
    file: { schema_version: 1 as const, deploy_run_id: runId, reason: 'deploy', since: ago(134) },
  }
  const host = status({ active_runs: [active], recent_deploys: [active, ...history], maintenance })
  return {
    runId,
    ...scene(
      {
        'overview.get': overview({
          status: host,
          deployStep: 'console_build',
          connection: {
            name: 'aiops-1',
            url: 'https://aiops-1.example.ts.net',
            state: 'online',
            detail: null,
            latency_ms: 12,
            as_of: ago(0),
            deploy_blocked: 'a deploy is running',
          },
          repository: {
            name: 'ai-ops-runner',
            branch: 'main',
            head: before,
            subject: 'Two more things',
            remote: head,
            ahead: 2,
            behind: 0,
            dirty_files: 0,
            next_action: 'Connect Gmail the desktop way, then run Phase 0.',
            ship_blocked: null,
          },
        }),
        [`host.run ${JSON.stringify({ run_id: runId })}`]: {
          ok: true,
          run: { ...active, result: null },
        },
        'host.runs': { ok: true, runs: [active, ...history], next_cursor: null },
      },
      { events: { [runId]: numbered(log) }, live: [runId] },
    ),
  }
}

/** All six gates hold. */
export function done(): Scene {
  const deploy = deployResult({
    run_id: idAt(120, 'd0d0d0d0'),
    git_head: head,
    target_sha: head,
    previous_sha: before,
    started_at: ago(360),
    finished_at: ago(123),
  })
  const host = status()
  const ship = shipResult()
  const dod = host.last_dod.result
  if (!dod || !host.state) throw new Error('the typical status has a DoD and a state')
  return scene({
    'overview.get': overview({
      ship: { run_id: ship.run_id, active: false, step: null, result: ship },
      status: status({
        host: { ...host.host, serving: head },
        state: {
          ...host.state,
          last_deploy_run_id: deploy.run_id,
          last_verified_head: head,
          target_sha: head,
          last_deploy_timestamp: ago(123),
        },
        last_deploy: {
          ok: true,
          run_id: deploy.run_id,
          overall: 'PASS',
          result: deploy,
          artifact_dir: null,
          triage: null,
        },
        last_dod: {
          ...host.last_dod,
          result: {
            ...dod,
            git_head: head,
            deploy_run_id: deploy.run_id,
            finished_at: ago(125),
            started_at: ago(146),
          },
        },
        bundles: {
          ship: { run_id: ship.run_id, complete: true, missing: [], verification: 'unverified' },
          deploy: {
            run_id: deploy.run_id,
            complete: true,
            missing: [],
            verification: 'unverified',
          },
        },
        recent_deploys: [
          run({
            run_id: deploy.run_id,
            requested_at: ago(360),
            started_at: ago(360),
            finished_at: ago(123),
          }),
          ...history,
        ],
      }),
    }),
  })
}

/** Codex is not signed in: nothing broke, a rule said no. */
export function reviewUnavailable(): Scene {
  const result = shipResult({
    overall: 'FAIL',
    step_failed: 'review_auto',
    error_class: 'review_unavailable',
    next_auto_fix: 'connect_codex',
    steps: steps(
      shipSteps,
      'review_auto',
      'Codex answered 401: no credential of the provider openai is set in HQ. Nothing was pushed.',
    ),
    pushed_sha: null,
    remote_sha: before,
  })
  return scene(
    {
      'overview.get': overview({
        ship: { run_id: result.run_id, active: false, step: null, result },
        repository: {
          name: 'ai-ops-runner',
          branch: 'main',
          head,
          subject: 'Show the age of every gate',
          remote: before,
          ahead: 2,
          behind: 0,
          dirty_files: 0,
          next_action: 'Connect Gmail the desktop way, then run Phase 0.',
          ship_blocked: null,
        },
      }),
      'ship.get': shipDetail(result, { diff: null, files: [] }),
      'ship.list': list({ run_id: result.run_id, active: false, step: null, result }),
    },
    { events: { [result.run_id]: numbered(shipLog(result.run_id)) } },
  )
}

/** The review asks for changes, and the operator has begun to edit. */
export function reviewBlocked(): Scene {
  const result = shipResult({
    overall: 'FAIL',
    step_failed: 'review_auto',
    error_class: 'review_blocked',
    next_auto_fix: 'fix_findings_and_ship',
    steps: steps(shipSteps, 'review_auto', '1 blocking finding and 1 note.'),
    pushed_sha: null,
    remote_sha: before,
  })
  const old = shipResult({
    run_id: idAt(90_000, '0a0a0a0a'),
    git_head: before,
    finished_at: ago(90_000),
  })
  return scene(
    {
      'overview.get': overview({
        ship: { run_id: result.run_id, active: false, step: null, result },
        repository: {
          name: 'ai-ops-runner',
          branch: 'main',
          head,
          subject: 'Show the age of every gate',
          remote: before,
          ahead: 2,
          behind: 0,
          dirty_files: 1,
          next_action: null,
          ship_blocked: '1 file is not committed.',
        },
      }),
      'ship.get': shipDetail(result, { findings }),
      'ship.list': list(
        { run_id: result.run_id, active: false, step: null, result },
        { run_id: old.run_id, active: false, step: null, result: old },
      ),
    },
    { events: { [result.run_id]: numbered(shipLog(result.run_id)) } },
  )
}

/** Shipped, by a scripted reviewer, in the demo. */
export function scripted(): Scene {
  const result = shipResult({ scripted_review: true })
  return scene(
    {
      'app.info': info({ demo: true, mode: 'serve' }),
      'overview.get': overview({
        ship: { run_id: result.run_id, active: false, step: null, result },
      }),
      'ship.get': shipDetail(result),
      'ship.list': list({ run_id: result.run_id, active: false, step: null, result }),
    },
    { events: { [result.run_id]: numbered(shipLog(result.run_id)) } },
  )
}

/** The same as `done`, but the host has been silent since four minutes. */
export function offline(): Scene {
  const base = done()
  const known = base.answers['overview.get'] as ReturnType<typeof overview>
  const connection = {
    ...known.connection,
    state: 'offline' as const,
    detail: 'aiops-1 does not answer on the tailnet.',
    latency_ms: null,
    as_of: ago(252),
    deploy_blocked: 'unreachable',
  }
  return { ...base, answers: { ...base.answers, 'overview.get': { ...known, connection } } }
}

/** A deploy that is red at the build; the old version serves. */
export function buildFailed(): Scene & { runId: string } {
  const runId = idAt(360, '8f3a9c1e')
  const detail = 'npm run build:console ended with exit code 1. Nothing was stopped.'
  const result = deployResult({
    run_id: runId,
    overall: 'FAIL',
    step_failed: 'console_build',
    error_class: 'console_build_failed',
    next_auto_fix: 'fix_and_ship',
    git_head: head,
    target_sha: head,
    previous_sha: before,
    started_at: ago(360),
    finished_at: ago(257),
    steps: steps(deploySteps, 'console_build', detail),
    unanswered_ms: null,
  })
  const failed = run({
    run_id: runId,
    status: 'failed',
    error_class: 'console_build_failed',
    step_failed: 'console_build',
    requested_at: ago(361),
    started_at: ago(360),
    finished_at: ago(257),
  })
  const log: EventBody[] = [
    {
      type: 'run_started',
      time: ago(360),
      action: 'deploy_and_verify',
      steps: deploySteps,
      attempt: 1,
    },
  ]
  for (const step of deploySteps.slice(0, 3))
    log.push({ type: 'step_started', time: ago(358), step }, line(`${step} done`, step, 355), {
      type: 'step_finished',
      time: ago(350),
      step,
      status: 'passed',
      duration_ms: 3_400,
      detail: null,
      error_class: null,
    })
  log.push({ type: 'step_started', time: ago(343), step: 'console_build' })
  for (let at = 1; at <= 200; at += 1)
    log.push(
      line(
        at === 120
          ? `\u001b[90m#16 6.031\u001b[0m \u001b[1;31merror\u001b[0m \u001b[31mCould not resolve ` +
              `"./gateLine" in overview/OverviewPage.tsx\u001b[0m`
          : at === 121
            ? '\u001b[36m  desktop/renderer/overview/OverviewPage.tsx:7:26\u001b[0m'
            : at === 60
              ? 'npm \u001b[33mwarn\u001b[0m deprecated glob@7.2.3: use v9 or later'
              : `#16 ${(at / 20).toFixed(3)} transforming (${at})`,
        'console_build',
        343 - at / 3,
      ),
    )
  log.push(
    {
      type: 'step_finished',
      time: ago(258),
      step: 'console_build',
      status: 'failed',
      duration_ms: 86_000,
      detail,
      error_class: 'console_build_failed',
    },
    { type: 'run_finished', time: ago(257), result },
  )
  const triage: Triage = {
    schema_version: 1,
    run_id: runId,
    error_class: 'console_build_failed',
    failing_step: 'console_build',
    retryable: false,
    next_auto_fix: 'fix_and_ship',
    fingerprint: 'b7e1c0ffee00',
    attempts: 1,
    evidence: ['console_build.log'],
    written_at: ago(256),
    first_error: {
      text: 'Could not resolve "./gateLine" in overview/OverviewPage.tsx',
      log: 'console_build.log',
      line: 120,
      file: 'desktop/renderer/overview/OverviewPage.tsx',
      file_line: 7,
    },
  }
  const maintenance = {
    on: true,
    unreadable: null,
    file: { schema_version: 1 as const, deploy_run_id: runId, reason: 'deploy', since: ago(348) },
  }
  const host = status({
    recent_deploys: [failed, ...history],
    maintenance,
    last_deploy: { ok: false, run_id: runId, overall: 'FAIL', result, artifact_dir: null, triage },
  })
  const detailRun: RunDetail = { ...failed, result: { ...result } }
  return {
    runId,
    ...scene(
      {
        'overview.get': overview({ status: host }),
        [`host.run ${JSON.stringify({ run_id: runId })}`]: { ok: true, run: detailRun },
        'host.runs': {
          ok: true,
          runs: [failed, ...history],
          next_cursor: history.at(-1)?.run_id ?? null,
        },
        'host.artifacts': {
          ok: true,
          path: `deploy/${runId}`,
          entries: [
            { name: 'deploy_result.json', type: 'file', size: 4210 },
            { name: 'triage.json', type: 'file', size: 1802 },
            { name: 'console_build.log', type: 'file', size: 198_220 },
            { name: 'attempts', type: 'directory', size: null },
          ],
        },
        'host.artifacts {"path":"deploy"}': {
          ok: true,
          path: 'deploy',
          entries: [runId, ...history.slice(0, 8).map(({ run_id }) => run_id)].map((name) => ({
            name,
            type: 'directory',
            size: null,
          })),
        },
        'host.artifacts {"path":"ship"}': {
          ok: true,
          path: 'ship',
          entries: [shipResult().run_id, idAt(20_000, 'b0b0b0b0')].map((name) => ({
            name,
            type: 'directory',
            size: null,
          })),
        },
        'host.artifact': { text: '{\n  "schema_version": 1\n}\n', truncated: false },
      },
      { events: { [runId]: numbered(log) } },
    ),
  }
}

/** A ship whose review is under way. */
export function shipping(): Scene & { runId: string } {
  const runId = idAt(90, '5417aaaa')
  const events: EventBody[] = shipLog(runId).slice(0, -2)
  const summary = { run_id: runId, active: true, step: 'review_auto', result: null }
  return {
    runId,
    ...scene(
      {
        'overview.get': overview({
          ship: summary,
          shipStep: 'review_auto',
          repository: {
            name: 'ai-ops-runner',
            branch: 'main',
            head,
            subject: 'Show the age of every gate',
            remote: before,
            ahead: 1,
            behind: 0,
            dirty_files: 0,
            next_action: 'Connect Gmail the desktop way, then run Phase 0.',
            ship_blocked: null,
          },
        }),
        'ship.get': {
          summary,
          verdict: null,
          signature: null,
          findings: [],
          diff: null,
          files: [],
        },
        'ship.list': list(summary),
      },
      { events: { [runId]: numbered(events) }, live: [runId] },
    ),
  }
}

function shipLog(runId: string): EventBody[] {
  const log: EventBody[] = [
    { type: 'run_started', time: ago(90), action: 'ship', steps: shipSteps },
  ]
  log.push(
    { type: 'step_started', time: ago(90), step: 'preflight' },
    line('18 rules hold', 'preflight', 89),
    {
      type: 'step_finished',
      time: ago(89),
      step: 'preflight',
      status: 'passed',
      duration_ms: 900,
      detail: '18 rules',
      error_class: null,
    },
    { type: 'step_started', time: ago(89), step: 'tests' },
  )
  for (let at = 0; at < 60; at += 1)
    log.push(
      line(`\u001b[32mPASSED\u001b[0m tests/test_gates.py::test_gate_${at}`, 'tests', 89 - at / 2),
    )
  log.push(
    {
      type: 'step_finished',
      time: ago(41),
      step: 'tests',
      status: 'passed',
      duration_ms: 48_000,
      detail: null,
      error_class: null,
    },
    { type: 'step_started', time: ago(41), step: 'review_auto' },
    line(`codex reviews packet 1 of 1 of ${runId}`, 'review_auto', 40),
  )
  log.push(line('review_unavailable: Codex answered 401', 'review_auto', 20), {
    type: 'step_finished',
    time: ago(20),
    step: 'review_auto',
    status: 'failed',
    duration_ms: 20_000,
    detail: 'Codex answered 401.',
    error_class: 'review_unavailable',
  })
  return log
}

const waiting = {
  name: 'ai-ops-runner',
  branch: 'main',
  head,
  subject: 'Show the age of every gate',
  remote: before,
  ahead: 2,
  behind: 0,
  dirty_files: 0,
  next_action: 'Connect Gmail the desktop way, then run Phase 0.',
  ship_blocked: null,
}

/** Two repairs were made, the reviewer refuses the second one as well. */
export function repaired(): Scene {
  const repair = (number: number) => ({
    number,
    folder: `repairs/${number}`,
    implementer: 'codex, gpt-5.2-codex at OpenAI',
    commit: before,
    error_class: null,
    detail: '2 files changed: hostd/routes/artifacts.ts, test/hostd/artifacts.test.ts',
    duration_ms: 94_000 * number,
  })
  const attempt = (
    number: number,
    error_class: 'tests_failed' | 'review_blocked',
    folder: string,
  ) => ({
    number,
    folder,
    git_head: head,
    overall: 'FAIL' as const,
    step_failed: error_class === 'tests_failed' ? 'tests' : 'review_auto',
    error_class,
    detail: 'pytest: 3 of 1284 tests failed',
  })
  const result = shipResult({
    overall: 'FAIL',
    step_failed: 'review_auto',
    error_class: 'review_blocked',
    next_auto_fix: 'fix_findings_and_ship',
    steps: steps(shipSteps, 'review_auto', '1 blocking finding and 1 note.'),
    pushed_sha: null,
    remote_sha: before,
  })
  result.until_green = {
    bound: 3,
    start_sha: head,
    stopped: 'the same failure again',
    attempts: [
      attempt(1, 'tests_failed', 'attempts/1'),
      attempt(2, 'review_blocked', 'attempts/2'),
      attempt(3, 'review_blocked', ''),
    ],
    repairs: [repair(1), repair(2)],
    protected_changes: [{ path: 'test/hostd/artifacts.test.ts', status: 'modified' }],
    kept_ref: `refs/openclaw/repairs/${result.run_id}`,
  }
  const summary = { run_id: result.run_id, active: false, step: null, result }
  return scene(
    {
      'overview.get': overview({ ship: summary, repository: waiting }),
      'ship.get': shipDetail(result, { findings }),
      'ship.list': list(summary),
      'ship.file': { text: 'diff --git a/x b/x\n', truncated: false },
    },
    { events: { [result.run_id]: numbered(shipLog(result.run_id)) } },
  )
}

/** The tests failed, and the implementer works. */
export function repairing(): Scene {
  const runId = idAt(90, 'e0e0e0e0')
  const summary = { run_id: runId, active: true, step: 'repair', commit: head, result: null }
  const log: EventBody[] = [
    { type: 'run_started', time: ago(90), action: 'ship', steps: shipSteps, attempt: 1 },
    { type: 'step_started', time: ago(60), step: 'tests' },
    line('not ok 1 - adds', 'tests', 50),
    {
      type: 'step_finished',
      time: ago(40),
      step: 'tests',
      status: 'failed',
      duration_ms: 20_000,
      detail: 'pytest: 1 of 1284 tests failed',
      error_class: 'tests_failed',
    },
    { type: 'run_started', time: ago(39), action: 'ship', steps: ['repair'], attempt: 1 },
    { type: 'step_started', time: ago(39), step: 'repair' },
    line('implementer: command_execution /bin/bash -lc "cat app.mjs"', 'repair', 20),
  ]
  return scene(
    {
      'overview.get': overview({ ship: summary, repository: waiting }),
      'ship.get': {
        ...shipDetail(shipResult(), { diff: null, files: [] }),
        verdict: null,
        signature: null,
        summary,
      },
      'ship.list': list(summary),
    },
    { events: { [runId]: numbered(log) }, live: [runId] },
  )
}

/** Preflight found no next action. */
export function nextActionMissing(): Scene {
  const result = shipResult({
    overall: 'FAIL',
    step_failed: 'preflight',
    error_class: 'next_action_invalid',
    next_auto_fix: 'set_next_action',
    steps: steps(shipSteps, 'preflight', 'docs/OPENCLAW_NEXT.md names no next action.'),
    pushed_sha: null,
    remote_sha: before,
    tests: [],
  })
  const summary = { run_id: result.run_id, active: false, step: null, result }
  return scene(
    {
      'overview.get': overview({
        ship: summary,
        repository: {
          ...waiting,
          next_action: null,
          ship_blocked: 'docs/OPENCLAW_NEXT.md names no next action.',
        },
      }),
      'ship.get': shipDetail(result, { diff: null, files: [] }),
      'ship.list': list(summary),
      'next.set': { ok: true },
    },
    {
      events: {
        [result.run_id]: numbered([
          { type: 'run_started', time: ago(60), action: 'ship', steps: shipSteps },
        ]),
      },
    },
  )
}

/** A ship that ended in its tests: cancelled by somebody, or failed. */
export function cancelledShip(errorClass: 'cancelled' | 'tests_failed' = 'cancelled'): Scene {
  const how = errorClass === 'cancelled' ? ('cancelled' as const) : ('failed' as const)
  const detail =
    errorClass === 'cancelled' ? 'The run was cancelled.' : 'pytest: 1 of 2 tests failed.'
  const ended = steps(shipSteps, 'tests', detail).map((step) =>
    step.name === 'tests' ? { ...step, status: how } : step,
  )
  const result = shipResult({
    overall: 'FAIL',
    step_failed: 'tests',
    error_class: errorClass,
    next_auto_fix: errorClass === 'cancelled' ? 'start_again' : 'fix_and_ship',
    steps: ended,
    pushed_sha: null,
    remote_sha: before,
    tests: [],
  })
  const summary = { run_id: result.run_id, active: false, step: null, result }
  const log: EventBody[] = [
    { type: 'run_started', time: ago(90), action: 'ship', steps: shipSteps },
    { type: 'step_started', time: ago(60), step: 'tests' },
    line('pytest: 2 passed, 0 failed, 0 skipped', 'tests', 50),
    line('FAILED tests/test_greeting.py', 'tests', 45),
    {
      type: 'step_finished',
      time: ago(40),
      step: 'tests',
      status: how,
      duration_ms: 20_000,
      detail,
      error_class: errorClass,
    },
    { type: 'run_finished', time: ago(40), result },
  ]
  return scene(
    {
      'overview.get': overview({ ship: summary, repository: waiting }),
      'ship.get': shipDetail(result, { diff: null, files: [] }),
      'ship.list': list(summary),
    },
    { events: { [result.run_id]: numbered(log) } },
  )
}
