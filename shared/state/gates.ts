/** The six gates of one change (docs/OPERATING_MODEL.md), from documents about this very commit. */
import { errorRule } from '../errors.ts'
import type { StatusReply, UnreadableDocument } from '../api.ts'
import type { DeployResult, ShipResult, StepResult } from '../result.ts'
import { deployOrder, gateNames, shipOrder, stepsOfGate, type GateName } from '../steps.ts'
import { shipIsLost, troubleOf, type ProofTrouble } from './proof.ts'

export { gateNames, type GateName }

export interface Gate {
  readonly name: GateName
  /** `unproven`: it passed, and what proved it is broken or contradicted. */
  readonly state: 'pass' | 'fail' | 'blocked' | 'unproven' | 'running' | 'waiting'
  /** One short line: a count, a class, what it waits for. */
  readonly detail: string | null
  readonly duration_ms: number | null
  readonly at: string | null
  readonly run_id: string | null
}

export interface Change {
  readonly commit: string | null
  readonly done: boolean
  readonly scripted_review: boolean
  readonly gates: readonly Gate[]
}

export interface GateFacts {
  /** The newest change: the commit the gates are about. */
  readonly commit: string | null
  /** Newest ship result of that commit, from the laptop or the host, whichever is newer. */
  readonly ship: ShipResult | null
  /** Step a running ship of that commit is in. */
  readonly shipStep: string | null
  readonly status: StatusReply | null
  /** Step that a running deploy of this commit is in. */
  readonly deployStep: string | null
  /** Where a copy of the ship's proof is. */
  readonly shipCopies: readonly ProofTrouble['place'][]
  readonly troubles: readonly ProofTrouble[]
  /** Something contradicts what HQ has witnessed, and nobody has acknowledged it. */
  readonly alarmed: boolean
  /** origin/main as the laptop last read it. */
  readonly remote: string | null
}

/** A change is DONE when all six pass. Evidence about another commit does not count. */
export function gatesOf(facts: GateFacts): Change {
  const { commit, ship, shipStep, status, deployStep } = facts
  const evidence: Evidence = {
    facts,
    ship: about(commit, ship),
    deploy: about(commit, lastDeploy(status)),
    troubles: facts.troubles,
  }
  // Deployed once and rolled back: the host does not deploy it until somebody unpins.
  const rolledBack = commit !== null && status?.state?.pin?.from_sha === commit
  const laptop = (name: GateName): Gate =>
    shipStep === null ? fromDocument(name, evidence.ship) : underway(name, shipStep, shipOrder)
  const host = (name: GateName, otherwise: string | null = null): Gate =>
    deployStep === null
      ? fromDocument(name, evidence.deploy, otherwise)
      : underway(name, deployStep, deployOrder)
  const first = [laptop('tests'), laptop('review'), confirmedPush(laptop('pushed'), evidence)]
  const next = [
    host('deployed', rolledBack ? 'rolled back' : null),
    deployStep === null ? provenLive(host('verified'), evidence) : host('verified'),
  ]
  const gates = [
    ...(shipStep === null ? first.map((gate) => restsOnShip(gate, evidence)) : first),
    ...(deployStep === null ? next.map((gate) => restsOnDeploy(gate, evidence)) : next),
  ]
  const idle = shipStep === null && deployStep === null
  gates.push(idle ? proofGate(gates, evidence) : waiting('proof'))
  return {
    commit,
    gates,
    done: gates.every(({ state }) => state === 'pass'),
    scripted_review: evidence.ship?.scripted_review ?? false,
  }
}

/** The newest deploy that ended; null also when its result cannot be read: an older one says nothing of now. */
export function lastDeploy(status: StatusReply | null): DeployResult | null {
  const result = status?.last_deploy.result ?? null
  return unreadableDeploy(status) === null ? result : null
}

/** The deploy whose result cannot be read, when that is the newest one. */
export const unreadableDeploy = (status: StatusReply | null): string | null =>
  status?.unreadable?.find(
    ({ kind, run_id }) =>
      kind === 'deploy' && run_id !== null && run_id > (status.last_deploy.run_id ?? ''),
  )?.run_id ?? null

/** The newest doctor or Definition of Done, when its result cannot be read: an older one says nothing of now. */
export const unreadableOf = (
  kind: 'doctor' | 'dod',
  status: StatusReply | null,
): UnreadableDocument | null => status?.unreadable?.find((each) => each.kind === kind) ?? null

/** The documents about the change itself; null: there is none. */
interface Evidence {
  readonly facts: GateFacts
  readonly ship: ShipResult | null
  readonly deploy: DeployResult | null
  readonly troubles: readonly ProofTrouble[]
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
function confirmedPush(pushed: Gate, { ship, facts: { commit } }: Evidence): Gate {
  const confirmed = ship !== null && ship.pushed_sha === commit && ship.remote_sha === commit
  return pushed.state === 'pass' && !confirmed
    ? { ...pushed, state: 'fail', detail: 'push_unconfirmed' }
    : pushed
}

/** What a ship proved counts as long as a whole copy of its proof is left. */
function restsOnShip(gate: Gate, { ship, troubles, facts }: Evidence): Gate {
  if (gate.state !== 'pass' || ship === null) return gate
  if (!shipIsLost(troubles, ship.run_id, facts.shipCopies)) return gate
  // origin itself says what was pushed.
  if (gate.name === 'pushed' && facts.remote === facts.commit) return gate
  return { ...gate, state: 'unproven', detail: 'rests on a broken proof' }
}

/** A deploy counts when its DoD passed and the state of the host names it. */
function provenLive(verified: Gate, { deploy, facts: { commit, status } }: Evidence): Gate {
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

/** What a deploy proved counts as long as its proof is whole and the host serves that commit. */
function restsOnDeploy(gate: Gate, { deploy, troubles, facts }: Evidence): Gate {
  const { commit, status } = facts
  const serves = commit !== null && status?.host.serving === commit
  if (deploy === null) return withoutResult(gate, serves, facts)
  if (gate.state !== 'pass') return gate
  if (gate.name === 'deployed')
    return serves ? gate : { ...gate, state: 'unproven', detail: 'the host does not serve it' }
  const trouble = troubleOf(troubles, 'deploy', deploy.run_id)
  if (trouble !== null) return { ...gate, state: 'unproven', detail: 'rests on a broken proof' }
  return serves ? gate : { ...gate, state: 'unproven', detail: 'the host does not serve it' }
}

/** The newest deploy left a result that cannot be read: what the host itself says still counts. */
function withoutResult(gate: Gate, serves: boolean, { commit, status }: GateFacts): Gate {
  const run_id = unreadableDeploy(status)
  if (run_id === null || !serves) return gate
  if (gate.name === 'deployed') return { ...gate, state: 'pass', run_id }
  return status?.state?.last_verified_head === commit
    ? { ...gate, state: 'unproven', detail: 'its result cannot be read', run_id }
    : gate
}

/** The bundles of the ship and the deploy that passed. @param before the five gates before it */
function proofGate(before: readonly Gate[], evidence: Evidence): Gate {
  const { ship, deploy, troubles, facts } = evidence
  const { status } = facts
  const run = deploy?.run_id ?? unreadableDeploy(status)
  const trouble =
    troubleOf(troubles, 'deploy', before[4]?.state === 'waiting' ? null : run) ??
    troubleOf(troubles, 'ship', ship?.run_id)
  if (trouble !== null)
    return { ...waiting('proof'), state: 'fail', detail: trouble.state, run_id: trouble.run_id }
  const allPass = before.every(({ state }) => state === 'pass')
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
  const whole = proofs.every((proof) => proof.complete) && !facts.alarmed
  return {
    name: 'proof',
    state: whole ? 'pass' : 'fail',
    duration_ms: null,
    at: deploy.finished_at,
    run_id: deploy.run_id,
    detail: proofDetail(proofs, facts.alarmed),
  }
}

function proofDetail(proofs: readonly Proof[], alarmed: boolean): string {
  const missing = proofs.flatMap((proof) => proof.missing)
  if (missing.length > 0) return `missing ${missing.join(', ')}`
  if (alarmed) return 'differs from what HQ has witnessed'
  return proofs.every(({ verification }) => verification === 'verified') ? 'verified' : 'unverified'
}

type Proof = NonNullable<StatusReply['bundles']['ship']>
