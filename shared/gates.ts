import { z } from 'zod'
import { errorRule } from './errors.ts'
import { commitId, timestamp } from './ids.ts'
import type { StatusReply } from './api.ts'
import type { ShipResult, StepResult } from './result.ts'

export const gateNames = ['tests', 'review', 'pushed', 'deployed', 'verified', 'proof'] as const
export type GateName = (typeof gateNames)[number]

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

const waiting = (name: GateName, detail: string | null = null): Gate => ({
  name,
  state: 'waiting',
  detail,
  duration_ms: null,
  at: null,
  run_id: null,
})

function fromStep(
  name: GateName,
  steps: readonly StepResult[],
  stepNames: readonly string[],
  doc: {
    run_id: string
    finished_at: string
    step_failed: string | null
    error_class: string | null
  },
): Gate {
  const own = steps.filter((step) => stepNames.includes(step.name))
  const duration_ms = own.reduce((sum, step) => sum + (step.duration_ms ?? 0), 0)
  const base = { name, duration_ms, at: doc.finished_at, run_id: doc.run_id }
  if (own.length === stepNames.length && own.every((step) => step.status === 'passed'))
    return { ...base, state: 'pass', detail: null }
  if (doc.step_failed !== null && stepNames.includes(doc.step_failed)) {
    const blocked =
      doc.error_class !== null &&
      errorRule(doc.error_class as Parameters<typeof errorRule>[0]).blocked === true
    return { ...base, state: blocked ? 'blocked' : 'fail', detail: doc.error_class }
  }
  return waiting(name)
}

/** A gate of a run that is in step `current`: passed before it, running in it, waiting after it. */
function underway(
  name: GateName,
  steps: readonly string[],
  current: string,
  order: readonly string[],
): Gate {
  if (steps.includes(current)) return { ...waiting(name), state: 'running', detail: current }
  const behind = order.indexOf(steps.at(-1) ?? '') < order.indexOf(current)
  return behind ? { ...waiting(name), state: 'pass' } : waiting(name)
}

const shipSteps = ['preflight', 'tests', 'review_auto', 'check_fail_closed_push', 'review_finish']
const deploySteps = [
  'assert_production_pull_only',
  'git_sync',
  'hostd_install',
  'console_build',
  'docker_compose',
]
const verifySteps = [
  'verify_production',
  'console_route_gate',
  'dod_production',
  'update_project_state',
]

/**
 * The six gates of one change (design §1). A gate passes only on evidence about this very commit; evidence about
 * another commit is none. A change is DONE when all six pass.
 */
export function gatesOf({ commit, ship, shipStep, status, deployStep }: Facts): Change {
  const mine = ship !== null && commit !== null && ship.git_head === commit ? ship : null
  const gates: Gate[] = []

  const laptop = (name: GateName, steps: string[]): Gate => {
    if (shipStep !== null) return underway(name, steps, shipStep, shipSteps)
    return mine === null ? waiting(name) : fromStep(name, mine.steps, steps, mine)
  }
  gates.push(laptop('tests', ['preflight', 'tests']))
  gates.push(laptop('review', ['review_auto']))
  const pushed = laptop('pushed', ['check_fail_closed_push', 'review_finish'])
  const confirmed = mine !== null && mine.pushed_sha === commit && mine.remote_sha === commit
  gates.push(
    pushed.state === 'pass' && !confirmed
      ? { ...pushed, state: 'fail', detail: 'push_unconfirmed' }
      : pushed,
  )

  const deploy = status?.last_deploy.result ?? null
  const myDeploy = deploy !== null && commit !== null && deploy.git_head === commit ? deploy : null
  // Deployed once and taken back: the host stays away from it until it is told otherwise.
  const rolledBack = commit !== null && status?.state?.pin?.from_sha === commit
  const host = (name: GateName, steps: string[]): Gate => {
    if (deployStep !== null)
      return underway(name, steps, deployStep, [...deploySteps, ...verifySteps])
    return myDeploy === null
      ? waiting(name, rolledBack && name === 'deployed' ? 'rolled back' : null)
      : fromStep(name, myDeploy.steps, steps, myDeploy)
  }
  gates.push(host('deployed', deploySteps))
  const verified = host('verified', verifySteps)
  const dod = status?.last_dod.result ?? null
  const provenLive =
    myDeploy !== null &&
    myDeploy.overall === 'PASS' &&
    dod !== null &&
    dod.overall === 'PASS' &&
    dod.deploy_run_id === myDeploy.run_id &&
    status?.state?.last_deploy_run_id === myDeploy.run_id &&
    status.state.last_verified_head === commit
  gates.push(
    deployStep === null && verified.state === 'pass' && !provenLive
      ? { ...verified, state: 'fail', detail: myDeploy?.error_class ?? 'state_not_written' }
      : verified,
  )

  const shipProof = status?.bundles.ship ?? null
  const deployProof = status?.bundles.deploy ?? null
  const bothPass = gates.every((each) => each.state === 'pass')
  if (
    bothPass &&
    mine &&
    myDeploy &&
    shipProof?.run_id === mine.run_id &&
    deployProof?.run_id === myDeploy.run_id
  ) {
    const missing = [...shipProof.missing, ...deployProof.missing]
    const broken = shipProof.verification === 'broken' || deployProof.verification === 'broken'
    const complete = shipProof.complete && deployProof.complete && !broken
    gates.push({
      name: 'proof',
      state: complete ? 'pass' : 'fail',
      duration_ms: null,
      at: myDeploy.finished_at,
      run_id: myDeploy.run_id,
      detail: broken
        ? 'broken'
        : complete
          ? shipProof.verification === 'verified' && deployProof.verification === 'verified'
            ? 'verified'
            : 'unverified'
          : `missing ${missing.join(', ')}`,
    })
  } else gates.push(waiting('proof', bothPass ? 'ship bundle not on the host yet' : null))

  return {
    commit,
    gates,
    done: gates.every((each) => each.state === 'pass'),
    scripted_review: mine?.scripted_review ?? false,
  }
}
