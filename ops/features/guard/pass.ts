import { join } from 'node:path'
import { errorRule, Problem, toProblem } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import { tryLock } from '#ops/base/files/lock'
import { allEngines } from '#ops/host/engines/registry'
import type { HostPaths } from '#ops/base/paths/paths'
import { deal, type Deed, type Pass } from './apply.ts'
import { openAttempts, type Attempts } from './attempts.ts'
import { whyHandsOff } from './may-act.ts'
import { restartHostd } from './hostd.ts'
import { lookAgain } from './recheck.ts'
import type { GuardHost, Remediation, Seen } from './remediation.ts'
import { restartServices } from './services.ts'
import { enableTimer } from './timers.ts'

/** All that guard may do, in the order in which it is done (design §8). It touches no firewall, no sshd, and no container or unit that is not HQ's. */
const remediations: readonly Remediation[] = [
  restartHostd,
  ...allEngines.map(restartServices),
  enableTimer,
]

export interface GuardPass {
  readonly checks: CheckResult[]
  readonly deeds: Deed[]
  /** Why this pass only looked; null when it might act. */
  readonly handsOff: string | null
}

/**
 * One pass of guard: looks at everything that it has a remediation for, several times where one is due, and applies
 * those that are, each at most `guard_per_hour` times an hour to the same target. While maintenance is on, a deploy
 * runs, or another pass acts, it only looks.
 */
export async function guardPass(host: GuardHost, signal?: AbortSignal): Promise<GuardPass> {
  const began = performance.now()
  const seen = await Promise.all(
    remediations.map(async (remediation) => ({
      remediation,
      ...(await timed(() => lookAgain(remediation, host, signal))),
    })),
  )
  const lock = tryLock(join(host.paths.locks, 'guard.lock'))
  try {
    const handsOff = whyHandsOff(host.paths) ?? (lock === null ? 'another pass is at work' : null)
    const pass: Pass = { host, handsOff, attempts: attemptsOf(host.paths), began, signal }
    const checks: CheckResult[] = []
    const deeds: Deed[] = []
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
        const { check, deed } = await checkOf(pass, remediation, each, ms)
        checks.push(check)
        if (deed) deeds.push(deed)
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
    return { checks: [modeCheck(handsOff, deeds), ...checks], deeds, handsOff }
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
const deedWords = {
  applied: 'guard helped',
  failed: 'guard could not help',
  refused: 'guard does not try again',
  observed: 'guard only looks',
  left: 'guard left it',
} as const

async function checkOf(
  pass: Pass,
  remediation: Remediation,
  seen: Seen,
  lookMs: number,
): Promise<{ check: CheckResult; deed: Deed | null }> {
  const { check: name, state, detail } = seen
  if (state !== 'due') {
    const found = status[state]
    return {
      check: {
        name,
        status: found,
        detail,
        remedy: found === 'FAIL' || found === 'WARN' ? (seen.remedy ?? 'deploy_again') : null,
        duration_ms: lookMs,
      },
      deed: null,
    }
  }
  const began = performance.now()
  const dealt = await deal(pass, remediation, seen)
  const said = `${detail} · ${deedWords[dealt.deed.outcome]} (${remediation.id}): ${dealt.deed.reason}`
  return {
    check: {
      name,
      status: dealt.status,
      detail: said,
      remedy: dealt.remedy,
      duration_ms: lookMs + Math.round(performance.now() - began),
    },
    deed: dealt.deed,
  }
}

function modeCheck(handsOff: string | null, deeds: readonly Deed[]): CheckResult {
  const applied = deeds
    .filter(({ outcome }) => outcome === 'applied')
    .map(({ remediation, target }) => `${remediation} ${target}`)
  const did =
    applied.length > 0
      ? `Applied: ${applied.join(', ')}.`
      : deeds.length > 0
        ? 'Nothing could be done.'
        : 'Nothing had to be done.'
  // Not a look at anything: a pass in which nothing else could be looked at is no PASS.
  return {
    name: 'mode',
    status: 'SKIP',
    detail: handsOff === null ? did : `Guard only looks: ${handsOff}.`,
    remedy: null,
    duration_ms: 0,
  }
}
