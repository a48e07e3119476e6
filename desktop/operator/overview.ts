import { actions } from '#shared/actions'
import type { StatusReply } from '#shared/api'
import type {
  CancelView,
  HostConnection,
  Overview,
  RepositoryState,
  ShipSummary,
} from '#shared/bridge'
import { gatesOf } from '#shared/gates'
import { standingStep } from '#shared/steps'
import type { ShipResult } from '#shared/result'
import { passedRun, usualMs, type PassedRun } from './base/typical-durations.ts'

interface Facts {
  readonly connection: Omit<HostConnection, 'deploy_blocked'>
  readonly repository: RepositoryState | null
  /** The running ship, else the newest. */
  readonly ship: ShipSummary | null
  /** The laptop's own result for the head of the repository. */
  readonly shipResult: ShipResult | null
  readonly shipResults: readonly (ShipResult | null)[]
  readonly status: StatusReply | null
  readonly deployStep: string | null
  readonly deploys: readonly PassedRun[]
  readonly upload: Overview['upload']
  readonly proofAlarms: Overview['proof_alarms']
  readonly cancels: CancelView[]
}

/** Why Deploy+Verify cannot be pressed, in one sentence; null when it can (design §10). */
export function deployBlocked(
  { name, state, detail }: Facts['connection'],
  status: StatusReply | null,
): string | null {
  const host = name ?? 'The host'
  switch (state) {
    case 'not_enrolled':
      return detail ?? 'No host is enrolled.'
    case 'connecting':
      return `HQ is connecting to ${host}.`
    case 'offline':
      return detail ?? `${host} does not answer.`
    case 'refused':
      return detail ?? `${host} refused the connection.`
    case 'online': {
      const busy = status?.active_runs.find(({ lane }) => lane === actions.deploy_and_verify.lane)
      return busy ? `${actions[busy.action].title} is running on ${host} already.` : null
    }
    default:
      return state satisfies never
  }
}

/** The result that is evidence about `commit`: a PASS before anything else, then the newer of the two. */
function evidence(
  commit: string | null,
  own: ShipResult | null,
  host: ShipResult | null,
): ShipResult | null {
  const candidates = [own, host]
    .filter((result) => result !== null && result.git_head === commit)
    .filter((result) => result !== null)
  return (
    candidates.toSorted(
      (a, b) =>
        Number(b.overall === 'PASS') - Number(a.overall === 'PASS') ||
        b.finished_at.localeCompare(a.finished_at),
    )[0] ?? null
  )
}

/** The step a running ship of `commit` is in. What another commit has passed says nothing about this one. */
function stepFor(commit: string | null, ship: ShipSummary | null): string | null {
  if (!ship?.active) return null
  // It writes down what it ships in preflight; until then there is nothing that it has passed.
  if (ship.commit === null || ship.commit === undefined) return 'preflight'
  return ship.commit === commit ? standingStep(ship.step ?? 'preflight') : null
}

/** Everything the Overview shows, from what is known now; nothing is waited for (design §10). */
export function composeOverview(facts: Facts): Overview {
  const { connection, repository, ship, status } = facts
  const hostShip = status?.last_ship.result ?? null
  // Without a repository on this machine the newest change is the one the host knows.
  const commit = repository
    ? repository.head
    : (hostShip?.git_head ?? status?.state?.target_sha ?? null)
  // A deploy takes origin/main: it is a deploy of this change only when that is this change.
  const deploysThis = commit !== null && (repository === null || repository.remote === commit)
  return {
    connection: { ...connection, deploy_blocked: deployBlocked(connection, status) },
    repository,
    ship,
    status,
    change: gatesOf({
      commit,
      ship: evidence(commit, facts.shipResult, hostShip),
      shipStep: stepFor(commit, ship),
      status,
      deployStep: deploysThis ? facts.deployStep : null,
    }),
    usual_ms: usualMs([
      ...facts.shipResults
        .map((result) => passedRun('ship', result))
        .filter((run) => run !== null)
        .slice(0, 10),
      ...facts.deploys,
    ]),
    upload: facts.upload,
    proof_alarms: facts.proofAlarms,
    cancels: facts.cancels,
  }
}
