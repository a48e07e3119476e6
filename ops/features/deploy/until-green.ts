import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem, toProblem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { DeployResult, StepResult, Triage } from '#shared/result'
import type { DeployStep } from '#shared/steps'
import { failures } from '#ops/core/checks/check'
import { asFailed } from '#ops/core/pipeline/documents'
import { turnMaintenanceOff, turnMaintenanceOn } from '#ops/core/host-state/maintenance'
import { writeDocument } from '#ops/base/redact/write-document'
import { attemptInstall, failedResult, runAttempt } from './attempt.ts'
import { gatherBundle, writeResult } from './bundle.ts'
import { attemptFolder, deployFolder } from './pipeline.ts'
import type { DeployHost } from './facts.ts'
import { greenCheck } from './green-check.ts'
import { restoreState } from './project-state.ts'
import { planned, type Plan } from './rollback.ts'
import { setTimers } from '#ops/core/host-state/timers'
import { triageOf } from './triage.ts'

const greenStep = 'green_check' satisfies DeployStep
const now = (): string => new Date().toISOString()

interface Hands {
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
}

/**
 * deploy_until_green (design §7): maintenance on, bounded attempts that each fetch afresh, a triage for every failure,
 * `green_check`, maintenance off. Only classes that the error table calls retryable are tried again, and never twice with
 * the same fingerprint; but an attempt that failed after it made another HQ current is followed by one of that HQ. After a failure maintenance stays on.
 * A deploy of a pinned host, or a rollback, that cannot be is refused before any of this: nothing is changed then.
 * @param attempts most attempts
 * @param plan what is deployed
 * @returns the result of the deploy, which is also the last event
 */
export async function deployUntilGreen(
  given: DeployHost,
  attempts: number,
  plan: Plan,
  { emit, signal }: Hands,
): Promise<DeployResult> {
  const startedAt = now()
  const say = (text: string): void =>
    emit({ type: 'log', time: now(), step: null, stream: 'hq', text })
  let host: DeployHost
  try {
    host = await planned(given, plan, { say, signal })
  } catch (error) {
    const problem = toProblem(error)
    for (const text of [`${problem.errorClass}: ${problem.message}`, ...problem.evidence]) say(text)
    const refused = failedResult({ runId: given.runId, attempt: 1, startedAt }, problem)
    emit({ type: 'run_finished', time: now(), result: refused })
    return refused
  }
  let result: DeployResult
  let triage: Triage | null = null
  try {
    turnMaintenanceOn(host.paths, { deployRunId: host.runId, reason: 'deploy' })
    say('maintenance mode is on')
    say(await setTimers(host.settings, 'stop', signal))
    ;({ result, triage } = await tryUntilGreen(host, attempts, { emit, signal }, say))
  } catch (error) {
    const problem = toProblem(error)
    say(`${problem.errorClass}: ${problem.message}`)
    result = failedResult({ runId: host.runId, attempt: 1, startedAt }, problem)
    triage = triageOf(result, {
      ...places(host, result),
      extra: [problem.message, ...problem.evidence],
    })
  }
  result = await close(host, { ...result, started_at: startedAt, finished_at: now() }, triage, say)
  emit({ type: 'run_finished', time: now(), result })
  return result
}

const places = (
  { paths }: DeployHost,
  { run_id, attempt }: DeployResult,
): { dir: string; base: string } => ({
  dir: attemptFolder(paths, run_id, attempt),
  base: deployFolder(paths, run_id),
})

async function tryUntilGreen(
  host: DeployHost,
  attempts: number,
  { emit, signal }: Hands,
  say: (text: string) => void,
): Promise<{ result: DeployResult; triage: Triage | null }> {
  const seen = new Set<string>()
  for (let attempt = 1; ; attempt += 1) {
    // The window shows the whole way from the first event on: green_check is the step after the attempt's own.
    const forward = (event: EventBody): void =>
      emit(event.type === 'run_started' ? { ...event, steps: [...event.steps, greenStep] } : event)
    const before = attemptInstall(host.paths)
    const tried = await runAttempt(host, attempt, { emit: forward, signal })
    const result =
      tried.overall === 'PASS' ? await withGreenCheck(host, tried, { emit, signal }) : tried
    if (result.overall === 'PASS') return { result, triage: null }
    const triage = triageOf(result, places(host, result))
    say(
      `attempt ${attempt} failed: ${triage.error_class}${triage.failing_step === null ? '' : ` in ${triage.failing_step}`}`,
    )
    if (triage.error_class === 'state_invalid') remedyState(host, say)
    // What failed was the HQ of before. The one that this attempt brought may hold the fix: it gets one attempt of its own.
    const newHq = attemptInstall(host.paths) !== before
    if (newHq) say('this attempt brought another HQ; the next one is made by it')
    const why =
      seen.has(triage.fingerprint) && !newHq
        ? 'the same failure again'
        : !triage.retryable && !newHq
          ? `${triage.error_class} is not retried`
          : attempt >= attempts
            ? `attempt ${attempt} of ${attempts} was the last`
            : signal.aborted
              ? 'cancelled'
              : null
    if (why !== null) {
      say(`stopped: ${why}`)
      return {
        result,
        triage: {
          ...triage,
          evidence: [...triage.evidence, `Stopped after attempt ${attempt}: ${why}.`],
        },
      }
    }
    seen.add(triage.fingerprint)
    // Doubles each time; the random half keeps two hosts from asking at the same moments.
    const pause =
      host.settings.deploy_backoff_seconds * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
    say(`next attempt in ${pause.toFixed(1)} s`)
    await delay(pause * 1000, undefined, { signal }).catch(() => {
      throw new Problem('cancelled', 'The deploy was cancelled between two attempts.')
    })
  }
}

/** The named remedy of `state_invalid`: the state of the last green deploy, from its proof. */
function remedyState({ paths }: DeployHost, say: (text: string) => void): void {
  try {
    const from = restoreState(paths)
    say(
      from === null
        ? 'no green deploy has left a state that could be put back'
        : `the state of ${from} was put back from its proof`,
    )
  } catch (error) {
    say(`the state could not be put back: ${toProblem(error).message}`)
  }
}

async function withGreenCheck(
  host: DeployHost,
  result: DeployResult,
  { emit, signal }: Hands,
): Promise<DeployResult> {
  const started_at = now()
  const clock = performance.now()
  emit({ type: 'step_started', time: started_at, step: greenStep })
  const check = await greenCheck({
    host,
    runId: host.runId,
    deployRunId: host.runId,
    proofOf: () => places(host, result).dir,
    signal,
  })
  for (const { name, status, detail } of check.checks)
    emit({
      type: 'log',
      time: now(),
      step: greenStep,
      stream: 'hq',
      text: `${status} ${name}: ${detail}`,
    })
  writeDocument(join(deployFolder(host.paths, host.runId), 'green_check.json'), check)
  const problem =
    check.overall === 'PASS'
      ? null
      : new Problem(
          'green_check_failed',
          failures(check.checks).join(' · ') || 'Nothing was checked.',
        )
  const detail = problem?.message ?? `${check.checks.length} checks passed`
  const status = problem ? 'failed' : 'passed'
  const duration_ms = Math.round(performance.now() - clock)
  emit({
    type: 'step_finished',
    time: now(),
    step: greenStep,
    status,
    duration_ms,
    detail,
    error_class: problem?.errorClass ?? null,
  })
  const step: StepResult = { name: greenStep, status, started_at, duration_ms, log: null, detail }
  const whole: DeployResult = {
    ...result,
    steps: [...result.steps, step],
    artifacts: { ...result.artifacts, green_check: 'green_check.json' },
  }
  return problem ? asFailed(whole, { errorClass: problem.errorClass, step: greenStep }) : whole
}

/** Gathers the proof, ends maintenance after a success, and writes the result last. */
async function close(
  host: DeployHost,
  result: DeployResult,
  triage: Triage | null,
  say: (text: string) => void,
): Promise<DeployResult> {
  const { paths } = host
  try {
    gatherBundle(paths, result, triage)
    if (result.overall === 'PASS') {
      turnMaintenanceOff(paths)
      say('maintenance mode is off')
      say(await setTimers(host.settings, 'start')) // it does not start while the maintenance file is there
    } else say('maintenance mode stays on until a deploy succeeds or it is ended in HQ')
    writeResult(paths, result)
    return result
  } catch (error) {
    const problem = toProblem(error)
    say(`${problem.errorClass}: ${problem.message}`)
    const failed = failedResult(
      { runId: host.runId, attempt: result.attempt, startedAt: result.started_at },
      result.overall === 'PASS'
        ? problem
        : new Problem(result.error_class ?? problem.errorClass, problem.message),
      result,
    )
    afterFailedClose(host, failed, problem, say)
    return failed
  }
}

/** A deploy whose end cannot be recorded is none: maintenance is on again, and as much as can be is written. */
function afterFailedClose(
  host: DeployHost,
  failed: DeployResult,
  problem: Problem,
  say: (text: string) => void,
): void {
  const tries = [
    () => {
      turnMaintenanceOn(host.paths, { deployRunId: host.runId, reason: 'deploy' })
    },
    () => {
      writeDocument(
        join(deployFolder(host.paths, host.runId), 'triage.json'),
        triageOf(failed, { ...places(host, failed), extra: [problem.message] }),
      )
    },
    () => {
      writeResult(host.paths, failed)
    },
  ]
  for (const attempt of tries) {
    try {
      attempt()
    } catch (error) {
      say(toProblem(error).message)
    }
  }
}
