import { join } from 'node:path'
import { errorRule, Problem, toProblem } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import { tryLock } from '#ops/base/files/lock'
import { allEngines } from '#ops/host/engines/registry'
import type { HostPaths } from '#ops/base/paths/paths'
import { applyRemediation, type Outcome, type Pass } from './apply.ts'
import { openAttempts, type Attempts } from './attempts.ts'
import { whyMayNotAct } from './may-act.ts'
import { restartHostd } from './hostd.ts'
import { probeRepeatedly } from './recheck.ts'
import type { GuardHost, Probe, Remediation } from './remediation.ts'
import { restartServices } from './services.ts'
import { enableTimer } from './timers.ts'

/**
 * Everything that guard may do, in this order. It never changes the firewall, sshd, or a container or unit that
 * does not belong to HQ.
 */
const remediations: readonly Remediation[] = [
  restartHostd,
  ...allEngines.map(restartServices),
  enableTimer,
]

export interface GuardPass {
  readonly checks: CheckResult[]
  readonly outcomes: Outcome[]
  /** Why this pass only observed; null when it could act. */
  readonly mayNotAct: string | null
}

/**
 * One pass of guard. It probes every target of its remediations, several times where one is due, and applies those that
 * are due, each at most `guard_per_hour` times an hour to the same target. It only observes while maintenance is on, a
 * deploy runs, or another pass acts.
 */
export async function guardPass(host: GuardHost, signal?: AbortSignal): Promise<GuardPass> {
  const began = performance.now()
  const seen = await Promise.all(
    remediations.map(async (remediation) => ({
      remediation,
      ...(await timed(() => probeRepeatedly(remediation, host, signal))),
    })),
  )
  const lock = tryLock(join(host.paths.locks, 'guard.lock'))
  try {
    const mayNotAct = whyMayNotAct(host.paths) ?? (lock === null ? 'another pass is running' : null)
    const pass: Pass = { host, mayNotAct, attempts: attemptsOf(host.paths), began, signal }
    const checks: CheckResult[] = []
    const outcomes: Outcome[] = []
    for (const { remediation, value, problem, ms } of seen) {
      if (problem !== null)
        checks.push({
          name: remediation.id,
          status: 'FAIL',
          detail: problem.message,
          remedy: errorRule(problem.errorClass).next_auto_fix,
          duration_ms: ms,
        })
      for (const each of value ?? []) {
        const { check, outcome } = await checkOf(pass, remediation, { ...each, ms })
        checks.push(check)
        if (outcome) outcomes.push(outcome)
      }
    }
    if (!checks.some(({ name }) => name.startsWith('service:')))
      checks.push({
        name: 'services',
        status: 'SKIP',
        detail: 'No deploy has started services yet.',
        remedy: null,
        duration_ms: 0,
      })
    return { checks: [modeCheck(mayNotAct, outcomes), ...checks], outcomes, mayNotAct }
  } finally {
    lock?.release()
  }
}

function attemptsOf(paths: HostPaths): Attempts | Problem {
  try {
    return openAttempts(paths)
  } catch (error) {
    return toProblem(error)
  }
}

async function timed<T>(
  work: () => Promise<T>,
): Promise<{ value: T | null; problem: Problem | null; ms: number }> {
  const began = performance.now()
  const ms = (): number => Math.round(performance.now() - began)
  try {
    return { value: await work(), problem: null, ms: ms() }
  } catch (error) {
    return { value: null, problem: toProblem(error), ms: ms() }
  }
}

const status = { good: 'PASS', fail: 'FAIL', warn: 'WARN', skip: 'SKIP' } as const
const outcomeText = {
  applied: 'guard repaired it',
  failed: 'guard could not repair it',
  refused: 'guard does not try again',
  observed: 'guard only observes',
  left: 'guard left it to the next pass',
} as const

/** The check of one probe; when its remediation is due, what came of that. @param probe with its duration in ms */
async function checkOf(
  pass: Pass,
  remediation: Remediation,
  probe: Probe & { readonly ms: number },
): Promise<{ check: CheckResult; outcome: Outcome | null }> {
  const { check: name, state, detail, ms } = probe
  if (state !== 'due') {
    const found = status[state]
    const remedy = found === 'FAIL' || found === 'WARN' ? (probe.remedy ?? 'deploy_again') : null
    return { check: { name, status: found, detail, remedy, duration_ms: ms }, outcome: null }
  }
  const began = performance.now()
  const applied = await applyRemediation(pass, remediation, probe)
  const { outcome, reason } = applied.outcome
  return {
    check: {
      name,
      status: applied.status,
      detail: `${detail} · ${outcomeText[outcome]} (${remediation.id}): ${reason}`,
      remedy: applied.remedy,
      duration_ms: ms + Math.round(performance.now() - began),
    },
    outcome: applied.outcome,
  }
}

function modeCheck(mayNotAct: string | null, outcomes: readonly Outcome[]): CheckResult {
  // SKIP, because it probes nothing: a pass that could probe nothing else must not be a PASS.
  return {
    name: 'mode',
    status: 'SKIP',
    detail: mayNotAct === null ? summaryOf(outcomes) : `Guard only observes: ${mayNotAct}.`,
    remedy: null,
    duration_ms: 0,
  }
}

function summaryOf(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return 'Nothing had to be done.'
  const applied = outcomes
    .filter(({ outcome }) => outcome === 'applied')
    .map(({ remediation, target }) => `${remediation} ${target}`)
  return applied.length > 0 ? `Applied: ${applied.join(', ')}.` : 'Nothing could be done.'
}
