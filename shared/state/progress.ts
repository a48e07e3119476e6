/** Situations of a change on its way: done, stopped, pushed. */
import { actions } from '../actions.ts'
import { errorClasses, errorRule, type ErrorClass } from '../errors.ts'
import type { RemediationId } from '../errors/remediations.ts'
import { shortCommit } from '../ids.ts'
import type { Gate } from './gates.ts'
import {
  connect,
  deploy,
  endMaintenance,
  go,
  inspect,
  nothing,
  runDoctor,
  ship,
  wait,
  type NextAction,
} from './next.ts'
import { refusesDeploys } from './maintenance.ts'
import { remedyAt } from './remedy.ts'
import { headline, joined, type Case, type Situation } from './situation.ts'
import type { Standing } from './standing.ts'
import type { Tone } from './tone.ts'

export const done: Case = (standing) => {
  const { change, commit, subject } = standing
  if (!change.done || commit === null) return null
  return {
    headline: {
      ...headline(
        'pass',
        `${commit} is DONE, with proof`,
        joined(subject, 'all six gates hold for this commit'),
      ),
      done: true,
    },
    next: afterDone(standing),
  }
}

/** All six gates hold: something else may still need a person. */
function afterDone(standing: Standing): NextAction {
  const { troubles, overview, maintenance, commit } = standing
  if (troubles.length > 0)
    return inspect('The proof of an earlier run is broken. The newest change does not rest on it.')
  if (maintenance.on) return endMaintenance(standing)
  const failing = overview.status?.last_doctor?.checks.filter(({ status }) => status === 'FAIL')
  if (failing !== undefined && failing.length > 0)
    return {
      ...runDoctor(standing, 'See what Doctor found.', `It found: ${failing[0]?.name ?? ''}.`),
      button: go('Open Doctor', '/doctor'),
    }
  return (
    connect(standing) ??
    nothing(`${commit ?? 'The change'} is done. The plan of the repository says what comes next.`)
  )
}

/** The witness contradicts a chain, and everything else of the change holds. */
export const alarmed: Case = (standing) => {
  const [first] = standing.overview.proof_alarms ?? []
  const proof = standing.change.gates.at(-1)
  const before = standing.change.gates.slice(0, -1)
  if (first === undefined || proof?.state !== 'fail') return null
  if (!before.every(({ state }) => state === 'pass')) return null
  return {
    headline: {
      ...headline(
        'fail',
        `The proof of ${first.who} differs from what HQ has witnessed`,
        joined(standing.serves, first.detail),
      ),
      errorClass: 'proof_broken',
    },
    next: inspect(
      'Read what differs. It counts again only when it is as it was, or you accept it.',
    ),
  }
}

export const isClass = (text: string | null): text is ErrorClass =>
  errorClasses.some((each) => each === text)
const isLaptopGate = ({ name }: Gate): boolean =>
  name === 'tests' || name === 'review' || name === 'pushed'

/** A gate failed or was refused. */
export const stopped: Case = (standing) => {
  const gate = standing.change.gates.find(({ state }) => state === 'fail' || state === 'blocked')
  if (gate === undefined) return null
  return isLaptopGate(gate) ? stoppedShip(standing, gate) : stoppedDeploy(standing, gate)
}

/** Of a gate that failed or was refused; a person or the machine may have ended it. */
export function toneOf({ state, detail }: Pick<Gate, 'state' | 'detail'>): Tone {
  if (detail === 'cancelled') return 'skip'
  if (detail === 'interrupted') return 'warn'
  return state === 'blocked' ? 'blocked' : 'fail'
}
const wasEnded = (errorClass: ErrorClass | null): boolean =>
  errorClass === 'cancelled' || errorClass === 'interrupted'
const shownClass = (errorClass: ErrorClass | null): string | null =>
  errorClass === 'cancelled' ? null : errorClass

function stoppedShip(standing: Standing, gate: Gate): Situation {
  const { overview, commit } = standing
  const errorClass = isClass(gate.detail) ? gate.detail : null
  const remote = overview.ship_result?.remote_sha ?? overview.repository?.remote ?? null
  const kept =
    errorClass === 'push_unconfirmed'
      ? ''
      : `Nothing was pushed${remote === null ? '' : `: origin/main is still ${shortCommit(remote)}`}.`
  const fix = errorClass === null ? null : errorRule(errorClass).next_auto_fix
  const remedy = fix === null || wasEnded(errorClass) ? '' : remedyAt(fix, overview.place)
  return {
    headline: {
      ...headline(toneOf(gate), titleOf(errorClass, 'ship', commit), `${kept} ${remedy}`.trim()),
      errorClass: shownClass(errorClass),
    },
    next: afterShip(standing, { gate, fix, remedy }),
  }
}

function titleOf(errorClass: ErrorClass | null, what: string, commit: string | null): string {
  if (errorClass === 'cancelled') return `The ${what} was cancelled`
  return errorClass === null
    ? `${commit ?? 'The change'} did not pass`
    : errorRule(errorClass).sentence
}

interface Failure {
  readonly gate: Gate
  readonly fix: RemediationId | null
  readonly remedy: string
}

const shipsAgain = new Set<RemediationId | null>([
  'ship_again',
  'start_again',
  'read_remote_again',
  'retry_when_reachable',
])

function afterShip(standing: Standing, { gate, fix, remedy }: Failure): NextAction {
  if (shipsAgain.has(fix)) return ship(standing, remedy || 'It starts from the first step.')
  if (fix === 'set_next_action')
    return {
      id: 'plan',
      title: 'Set the next action of the repository.',
      text: remedy,
      button: go('Open Ship', '/ship'),
    }
  return {
    id: 'fix',
    title: 'Remove what stopped the ship.',
    text: remedy,
    button:
      standing.overview.place === 'console'
        ? null
        : go('Open the ship', gate.run_id === null ? '/ship' : `/ship/${gate.run_id}`),
  }
}

/** The remedy is not the run itself: pressing the same button would stop again the same way. */
const needsMore = new Set<RemediationId | null>([
  'deploy_again',
  'start_again',
  'retry_when_reachable',
  'restart_service',
  'restart_hostd',
  'restart_container',
  'wait_for_deploy',
  'wait_for_active_run',
  'seal_again',
  'end_maintenance',
])

function stoppedDeploy(standing: Standing, gate: Gate): Situation {
  const { overview, commit, serves, serving, change } = standing
  const errorClass = isClass(gate.detail) ? gate.detail : null
  const triage = overview.status?.last_deploy.triage ?? null
  const known = triage?.run_id === gate.run_id ? triage?.next_auto_fix : undefined
  const fix = known ?? (errorClass === null ? null : errorRule(errorClass).next_auto_fix)
  const remedy = fix === null || wasEnded(errorClass) ? '' : remedyAt(fix, overview.place)
  const cause = titleOf(errorClass, 'deploy', commit)
  // The host says what serves: a deploy that ended after its switch left the new version up, unverified.
  const switched = serving.commit !== null && serving.commit === change.commit
  const title = switched && gate.name !== 'proof' ? `${serves ?? ''}, but is not verified` : cause
  const sub =
    switched && gate.name !== 'proof' ? `${cause}${after(cause)}` : `${serves ?? 'Nothing serves'}.`
  return {
    headline: {
      ...headline(toneOf(gate), title, `${sub} ${remedy}`.trim()),
      errorClass: shownClass(errorClass),
    },
    next: needsMore.has(fix)
      ? deploy(
          standing,
          'Deploy it again.',
          'It fetches main again and starts from the first step.',
        )
      : fixOfDeploy(standing, { gate, fix, remedy }),
  }
}

const after = (cause: string): string => (cause.endsWith('cancelled') ? ' after the switch.' : '.')

function fixOfDeploy({ overview }: Standing, { gate, remedy }: Failure): NextAction {
  return {
    id: 'fix',
    title:
      overview.place === 'console' ? 'Remove the cause.' : 'Remove the cause, then ship or deploy.',
    text: remedy,
    button: gate.run_id === null ? null : go('Open the run', `/runs/${gate.run_id}`),
  }
}

/** What serves was never verified, and the newest change is another commit. */
export const unverified: Case = (standing) => {
  const { serving, serves, pin } = standing
  if (serving.standing !== 'unverified' || serves === null) return null
  const stays =
    pin?.holds === true ? ` The pin of a rollback to ${shortCommit(pin.sha)} still holds.` : ''
  return {
    headline: headline(
      'warn',
      `${serves}, but is not verified`,
      `No deploy of it became green: the last one ended after its switch.${stays}`,
    ),
    next: deploy(
      standing,
      'Deploy again.',
      'A green run verifies what serves, and makes its proof.',
    ),
  }
}

const untilWhat = ({ maintenance }: Standing): string =>
  refusesDeploys(maintenance)
    ? 'maintenance is ended and it is deployed'
    : `${actions.deploy_and_verify.button} is pressed`

export const pushed: Case = (standing) => {
  const { change, commit, subject, serves, pin, overview } = standing
  const gate = (name: Gate['name']): Gate | undefined =>
    change.gates.find((each) => each.name === name)
  const isPushed = gate('pushed')?.state === 'pass' || gate('pushed')?.state === 'unproven'
  if (!isPushed || commit === null) return null
  if (gate('deployed')?.state === 'unproven')
    return {
      headline: headline(
        'warn',
        serves === null ? `${commit} does not serve` : `${serves}, not ${commit}`,
        `A deploy of ${commit} was green. The host does not serve it any more.`,
      ),
      next: deploy(
        standing,
        `Deploy ${commit} again.`,
        'It builds, switches and verifies, each step with proof.',
      ),
    }
  if (gate('verified')?.state === 'pass')
    return {
      headline: headline(
        'wait',
        `${commit} is deployed, its proof is not complete`,
        gate('proof')?.detail ?? 'The bundle of its ship is not on the host yet.',
      ),
      next: wait(
        'Wait for the proof.',
        overview.upload.detail ?? 'HQ sends it to the host by itself.',
      ),
    }
  if (pin?.holds === true && pin.serves)
    return {
      headline: headline(
        'you',
        `${commit} was rolled back`,
        joined(
          subject,
          serves && `${serves} instead, until a fix is shipped or this is deployed again`,
        ),
      ),
      next: rolledBack(standing),
    }
  return {
    headline: headline(
      'you',
      `${commit} is pushed, not deployed yet`,
      joined(subject, serves && `${serves} until ${untilWhat(standing)}`),
    ),
    next: deploy(
      standing,
      `Deploy ${commit}.`,
      'It builds, switches and verifies, each step with proof.',
    ),
  }
}

/** Somebody rolled back on purpose: a fix leads on, and deploying the same again is possible, not suggested. */
function rolledBack(standing: Standing): NextAction {
  const next = deploy(
    standing,
    'Ship a fix.',
    'It ends the pin by itself. The same commit can be deployed again.',
  )
  if (next.id !== 'unpin' || next.button === null) return next
  return { ...next, button: { ...next.button, filled: false } }
}
