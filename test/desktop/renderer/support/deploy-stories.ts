import type { RunDetail } from '#shared/api'
import type { EventBody } from '#shared/events'
import type { Triage } from '#shared/result'
import {
  ago,
  before,
  deployResult,
  deploySteps,
  head,
  idAt,
  shipResult,
  steps,
} from './documents.ts'
import { fileContent, unsealedFiles } from './evidence-documents.ts'
import { line, history, numbered, overview, run, scene, status, type Scene } from './scenes.ts'

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
          },
          repository: {
            name: 'ai-ops-runner',
            branch: 'main',
            head,
            subject: 'Show the age of every gate',
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
        'proofs.file': fileContent('{\n  "schema_version": 1\n}\n'),
        'proofs.evidence': unsealedFiles({ 'triage.json': 24, 'deploy_result.json': 4210 }),
      },
      { events: { [runId]: numbered(log) } },
    ),
  }
}
