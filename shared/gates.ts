import { z } from 'zod'
import { errorRule } from './errors.ts'
import { commitId, timestamp } from './ids.ts'
import type { StatusReply } from './api.ts'
import type { DeployResult, ShipResult, StepResult } from './result.ts'
import { deployOrder, gateNames, shipOrder, stepsOfGate, type GateName } from './steps.ts'

export { gateNames, type GateName }

export const gate = z.strictObject({
  name: z.enum(gateNames),
  state: z.enum(['pass', 'fail', 'blocked', 'running', 'waiting']),
  /** One short line: a count, a class, what it waits for. */
  detail: z.string().nullable(),
  duration_ms: z.number().nullable(),
  at: timestamp.nullable(),
  run_id: z.string().nullable(),
})
export type Gate = z.infer<typeof gate>

export const change = z.strictObject({
  commit: commitId.nullable(),
  done: z.boolean(),
  scripted_review: z.boolean(),
  gates: z.array(gate).length(6),
})
export type Change = z.infer<typeof change>

interface Facts {
  /** The newest change: the commit the gates are about. */
  readonly commit: string | null
  /** Newest ship result of that commit, from the laptop or the host, whichever is newer. */
  readonly ship: ShipResult | null
  /** Step a running ship of that commit is in. */
  readonly shipStep: string | null
  readonly status: StatusReply | null
  /** Step that a running deploy of this commit is in. */
  readonly deployStep: string | null
}

/**
 * The six gates of one change (docs/OPERATING_MODEL.md). A gate passes only on evidence about this very commit;
 * evidence about another commit does not count. A change is DONE when all six pass.
 */
export function gatesOf({ commit, ship, shipStep, status, deployStep }: Facts): Change {
  const evidence: Evidence = {
    ship: about(commit, ship),
    deploy: about(commit, status?.last_deploy.result ?? null),
    status,
  }
  // Deployed once and rolled back: the host does not deploy it until somebody unpins.
  const rolledBack = commit !== null && status?.state?.pin?.from_sha === commit
  const laptop = (name: GateName): Gate =>
    shipStep === null ? fromDocument(name, evidence.ship) : underway(name, shipStep, shipOrder)
  const host = (name: GateName, otherwise: string | null = null): Gate =>
    deployStep === null
      ? fromDocument(name, evidence.deploy, otherwise)
      : underway(name, deployStep, deployOrder)
  const verified = host('verified')
  const gates = [
    laptop('tests'),
    laptop('review'),
    confirmedPush(laptop('pushed'), commit, evidence),
    host('deployed', rolledBack ? 'rolled back' : null),
    deployStep === null ? provenLive(verified, commit, evidence) : verified,
  ]
  const allPass = gates.every(({ state }) => state === 'pass')
  gates.push(proofGate(allPass, evidence))
  return {
    commit,
    gates,
    done: gates.every(({ state }) => state === 'pass'),
    scripted_review: evidence.ship?.scripted_review ?? false,
  }
}

/** The documents about the change itself; null: there is none. */
interface Evidence {
  readonly ship: ShipResult | null
  readonly deploy: DeployResult | null
  readonly status: StatusReply | null
}

const about = <D extends { readonly git_head: string | null }>(
  commit: string | null,
  document: D | null,
): D | null => (commit !== null && document?.git_head === commit ? document : null)

const waiting = (name: GateName, detail: string | null = null): Gate => ({
  name,
  state: 'waiting',
  detail,
  duration_ms: null,
  at: null,
  run_id: null,
})

/** A gate as a finished run left it. @param otherwise detail when there is no such run */
function fromDocument(
  name: GateName,
  document: ShipResult | DeployResult | null,
  otherwise: string | null = null,
): Gate {
  if (document === null) return waiting(name, otherwise)
  const { run_id, finished_at, step_failed, error_class } = document
  const names = stepsOfGate(name)
  const steps: readonly StepResult[] = document.steps.filter((step) => names.includes(step.name))
  const duration_ms = steps.reduce((sum, step) => sum + (step.duration_ms ?? 0), 0)
  const base = { name, duration_ms, at: finished_at, run_id }
  if (steps.length === names.length && steps.every(({ status }) => status === 'passed'))
    return { ...base, state: 'pass', detail: null }
  if (step_failed === null || !names.includes(step_failed)) return waiting(name)
  const blocked = error_class !== null && errorRule(error_class).blocked === true
  return { ...base, state: blocked ? 'blocked' : 'fail', detail: error_class }
}

/** A gate of a run that is in step `current`: passed before it, running in it, waiting after it. */
function underway(name: GateName, current: string, order: readonly string[]): Gate {
  const steps = stepsOfGate(name)
  if (steps.includes(current)) return { ...waiting(name), state: 'running', detail: current }
  const behind = order.indexOf(steps.at(-1) ?? '') < order.indexOf(current)
  return behind ? { ...waiting(name), state: 'pass' } : waiting(name)
}

/** A push counts when the remote was read back and holds the commit. */
function confirmedPush(pushed: Gate, commit: string | null, { ship }: Evidence): Gate {
  const confirmed = ship !== null && ship.pushed_sha === commit && ship.remote_sha === commit
  return pushed.state === 'pass' && !confirmed
    ? { ...pushed, state: 'fail', detail: 'push_unconfirmed' }
    : pushed
}

/** A deploy counts when its DoD passed and the state of the host names it. */
function provenLive(verified: Gate, commit: string | null, { deploy, status }: Evidence): Gate {
  const dod = status?.last_dod.result ?? null
  const proven =
    deploy !== null &&
    deploy.overall === 'PASS' &&
    dod !== null &&
    dod.overall === 'PASS' &&
    dod.deploy_run_id === deploy.run_id &&
    status?.state?.last_deploy_run_id === deploy.run_id &&
    status.state.last_verified_head === commit
  return verified.state === 'pass' && !proven
    ? { ...verified, state: 'fail', detail: deploy?.error_class ?? 'state_not_written' }
    : verified
}

/** The bundles of the ship and the deploy that passed. @param allPass the five gates before it passed */
function proofGate(allPass: boolean, { ship, deploy, status }: Evidence): Gate {
  const shipProof = status?.bundles.ship ?? null
  const deployProof = status?.bundles.deploy ?? null
  if (
    !allPass ||
    ship === null ||
    deploy === null ||
    shipProof?.run_id !== ship.run_id ||
    deployProof?.run_id !== deploy.run_id
  )
    return waiting('proof', allPass ? 'ship bundle not on the host yet' : null)
  const proofs = [shipProof, deployProof]
  const broken = proofs.some(({ verification }) => verification === 'broken')
  const complete = proofs.every((proof) => proof.complete) && !broken
  return {
    name: 'proof',
    state: complete ? 'pass' : 'fail',
    duration_ms: null,
    at: deploy.finished_at,
    run_id: deploy.run_id,
    detail: proofDetail(proofs, { broken, complete }),
  }
}

function proofDetail(
  proofs: readonly Proof[],
  { broken, complete }: { broken: boolean; complete: boolean },
): string {
  if (broken) return 'broken'
  if (!complete) return `missing ${proofs.flatMap(({ missing }) => missing).join(', ')}`
  return proofs.every(({ verification }) => verification === 'verified') ? 'verified' : 'unverified'
}

type Proof = NonNullable<StatusReply['bundles']['ship']>
