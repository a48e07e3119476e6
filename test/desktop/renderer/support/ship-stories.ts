import type { EventBody } from '#shared/events'
import { ago, before, head, idAt, shipResult, shipSteps, steps } from './documents.ts'
import { fileContent, unsealedFiles } from './evidence-documents.ts'
import {
  findings,
  info,
  line,
  numbered,
  overview,
  scene,
  shipDetail,
  type Scene,
} from './scenes.ts'

const list = (...ships: object[]): object => ({ ships })

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

/** A ship whose review is under way. */
export function shipping(): Scene & { runId: string } {
  const runId = idAt(90, '5417aaaa')
  const events: EventBody[] = shipLog(runId).slice(0, -2)
  const summary = {
    run_id: runId,
    active: true,
    step: 'review_auto',
    commit: head,
    result: null,
  }
  return {
    runId,
    ...scene(
      {
        'overview.get': overview({
          ship: summary,
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
      'proofs.file': fileContent('diff --git a/x b/x\n'),
      'proofs.evidence': unsealedFiles({ 'repairs/1/repair.patch': 19 }),
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
