import { z } from 'zod'
import { Problem, toProblem } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'
import type { CheckResult } from '#shared/result'
import type { Attempts } from './attempts.ts'
import { whyHandsOff } from './may-act.ts'
import { guardRemediations, type GuardHost, type Remediation, type Seen } from './remediation.ts'

/** What became of a remediation that was due. */
export const deed = z.strictObject({
  remediation: z.enum(guardRemediations),
  target: z.string(),
  /** `applied`: done, and proven to have helped. `failed`: done, and it did not help. `refused`: its bound is reached. `observed`: guard may only look. `left`: to the next pass. */
  outcome: z.enum(['applied', 'failed', 'refused', 'observed', 'left']),
  reason: z.string(),
})
export type Deed = z.infer<typeof deed>

/** Nothing is begun later in a pass than this: the action has a time limit of its own. Milliseconds. */
const beginWithinMs = 120_000

export interface Pass {
  readonly host: GuardHost
  /** Why this pass may only look; null when it may act. */
  readonly handsOff: string | null
  /** How often what was tried; the reason, when that cannot be read. */
  readonly attempts: Attempts | Problem
  /** `performance.now()` at its beginning. */
  readonly began: number
  readonly signal: AbortSignal | undefined
}

export interface Dealt {
  readonly status: CheckResult['status']
  readonly remedy: RemediationId
  readonly deed: Deed
}

/** Deals with one thing that is due: applies its remediation, or says why not. Never throws. */
export async function deal(
  { host, handsOff, attempts, began, signal }: Pass,
  remediation: Remediation,
  { target, remedy = 'deploy_again' }: Seen,
): Promise<Dealt> {
  const { id, undone } = remediation
  const end = (
    outcome: Deed['outcome'],
    reason: string,
    status: CheckResult['status'],
    mends: RemediationId = remedy,
  ): Dealt => ({ status, remedy: mends, deed: { remediation: id, target, outcome, reason } })
  const only = handsOff ?? whyHandsOff(host.paths)
  if (only !== null) return end('observed', only, undone)
  if (attempts instanceof Problem)
    return end(
      'refused',
      `how often it was tried is not known: ${attempts.message}`,
      'FAIL',
      'repair_state_folder',
    )
  const count = attempts.count(id, target)
  const limit = host.settings.guard_per_hour
  if (count >= limit)
    return end(
      'refused',
      `it was tried ${count} times within the last hour, and ${limit} is the limit`,
      'FAIL',
      'see_guard_log',
    )
  if (signal?.aborted) return end('left', 'the pass was cancelled', undone)
  if (performance.now() - began > beginWithinMs)
    return end('left', 'this pass has taken long enough', undone)
  try {
    attempts.note(id, target)
  } catch (error) {
    return end(
      'refused',
      `it could not be noted: ${toProblem(error).message}`,
      'FAIL',
      'repair_state_folder',
    )
  }
  try {
    const { acted, reason } = await remediation.apply(host, target, signal)
    return end(acted ? 'applied' : 'left', reason, 'WARN', id)
  } catch (error) {
    const problem = toProblem(error)
    return problem.errorClass === 'lane_busy'
      ? end('left', problem.message, undone)
      : end('failed', problem.message, 'FAIL')
  }
}
