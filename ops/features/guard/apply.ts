import { z } from 'zod'
import { Problem, toProblem } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'
import type { CheckResult } from '#shared/result'
import type { Attempts } from './attempts.ts'
import { whyMayNotAct } from './may-act.ts'
import { guardRemediations, type GuardHost, type Probe, type Remediation } from './remediation.ts'

/** The result of a remediation that was due. */
export const outcome = z.strictObject({
  remediation: z.enum(guardRemediations),
  target: z.string(),
  /**
   * `applied`: done, and proven to have helped. `failed`: done, and it did not help. `refused`: its limit is reached.
   * `observed`: guard may only observe. `left`: left to the next pass.
   */
  outcome: z.enum(['applied', 'failed', 'refused', 'observed', 'left']),
  reason: z.string(),
})
export type Outcome = z.infer<typeof outcome>

/** A pass begins no remediation later than this, because the action has a time limit. Milliseconds. */
const beginWithinMs = 120_000

export interface Pass {
  readonly host: GuardHost
  /** Why this pass may only observe; null when it may act. */
  readonly mayNotAct: string | null
  /** How often each remediation was tried; the problem, when that cannot be read. */
  readonly attempts: Attempts | Problem
  /** `performance.now()` at its beginning. */
  readonly began: number
  readonly signal: AbortSignal | undefined
}

export interface Applied {
  readonly status: CheckResult['status']
  readonly remedy: RemediationId
  readonly outcome: Outcome
}

/** Applies a remediation that is due, or says why not. It never throws. */
export async function applyRemediation(
  pass: Pass,
  remediation: Remediation,
  { target, remedy = 'deploy_again' }: Probe,
): Promise<Applied> {
  const { id, undone } = remediation
  const end = (
    result: Pick<Outcome, 'outcome' | 'reason'>,
    status: CheckResult['status'],
    remedyId: RemediationId = remedy,
  ): Applied => ({ status, remedy: remedyId, outcome: { remediation: id, target, ...result } })
  const obstacle = obstacleTo(pass, id, target)
  if (obstacle !== null) {
    const { remedy: obstacleRemedy, ...result } = obstacle
    return end(result, result.outcome === 'refused' ? 'FAIL' : undone, obstacleRemedy)
  }
  try {
    const { acted, reason } = await remediation.apply(pass.host, target, pass.signal)
    return end({ outcome: acted ? 'applied' : 'left', reason }, 'WARN', id)
  } catch (error) {
    const { errorClass, message: reason } = toProblem(error)
    return errorClass === 'lane_busy'
      ? end({ outcome: 'left', reason }, undone)
      : end({ outcome: 'failed', reason }, 'FAIL')
  }
}

interface Obstacle extends Pick<Outcome, 'reason'> {
  readonly outcome: 'observed' | 'refused' | 'left'
  readonly remedy?: RemediationId
}

/** Why the remediation is not applied now; null when it is, and then the attempt is recorded. */
function obstacleTo(
  { host, mayNotAct, attempts, began, signal }: Pass,
  id: Remediation['id'],
  target: string,
): Obstacle | null {
  const reason = mayNotAct ?? whyMayNotAct(host.paths)
  if (reason !== null) return { outcome: 'observed', reason }
  if (attempts instanceof Problem)
    return unrecorded(`it is not known how often it was tried: ${attempts.message}`)
  const count = attempts.count(id, target)
  const limit = host.settings.guard_per_hour
  if (count >= limit)
    return {
      outcome: 'refused',
      reason: `it was tried ${count} times within the last hour, and ${limit} is the limit`,
      remedy: 'see_guard_log',
    }
  if (signal?.aborted) return { outcome: 'left', reason: 'the pass was cancelled' }
  if (performance.now() - began > beginWithinMs)
    return { outcome: 'left', reason: 'this pass reached its time limit' }
  try {
    attempts.record(id, target)
  } catch (error) {
    return unrecorded(`the attempt could not be recorded: ${toProblem(error).message}`)
  }
  return null
}

const unrecorded = (reason: string): Obstacle => ({
  outcome: 'refused',
  reason,
  remedy: 'repair_state_folder',
})
