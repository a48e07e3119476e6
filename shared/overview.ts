/** The Overview, composed from what one side can see: HQ on the laptop, or the page of the console. */
import { actions } from './actions.ts'
import type { StatusReply } from './api.ts'
import type {
  CancelView,
  HostConnection,
  Overview,
  RepositoryState,
  ShipSummary,
} from './bridge.ts'
import { gatesOf } from './gates.ts'
import type { ShipResult } from './result.ts'
import { standingStep } from './steps.ts'
import { typicalDurations, type PassedRun } from './typical-durations.ts'

/** What is known now. The console page has no laptop: its `laptop` is null. */
export interface OverviewFacts {
  readonly connection: Omit<HostConnection, 'deploy_blocked'>
  readonly status: StatusReply | null
  readonly deployStep: string | null
  /** Passed runs, for the typical durations. */
  readonly passedRuns: readonly PassedRun[]
  readonly laptop: LaptopFacts | null
}

/** What only the laptop knows. */
export interface LaptopFacts {
  readonly repository: RepositoryState | null
  /** The running ship, else the newest. */
  readonly ship: ShipSummary | null
  /** The laptop's own result for the head of the repository. */
  readonly shipResult: ShipResult | null
  readonly upload: Overview['upload']
  readonly proofAlarms: NonNullable<Overview['proof_alarms']>
  readonly cancels: CancelView[]
}

/** Why Deploy+Verify cannot be pressed, in one sentence; null when it can. */
export function deployBlocked(
  { name, state, detail }: OverviewFacts['connection'],
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
    .filter((result) => result !== null)
    .filter((result) => result.git_head === commit)
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

/** Everything the Overview shows, from what is known now; nothing is waited for. */
export function composeOverview(facts: OverviewFacts): Overview {
  const { connection, status, laptop } = facts
  const repository = laptop?.repository ?? null
  const ship = laptop?.ship ?? null
  const hostShip = status?.last_ship.result ?? null
  // Without a repository on this machine the newest change is the one the host knows.
  const commit = repository
    ? repository.head
    : (hostShip?.git_head ?? status?.state?.target_sha ?? null)
  // A deploy takes origin/main: it is a deploy of this change only when that is this change.
  const onMain = repository ? repository.remote : (hostShip?.pushed_sha ?? null)
  return {
    connection: { ...connection, deploy_blocked: deployBlocked(connection, status) },
    repository,
    ship,
    status,
    change: gatesOf({
      commit,
      ship: evidence(commit, laptop?.shipResult ?? null, hostShip),
      shipStep: stepFor(commit, ship),
      status,
      deployStep: commit !== null && onMain === commit ? facts.deployStep : null,
    }),
    usual_ms: typicalDurations(facts.passedRuns),
    upload: laptop?.upload ?? { queued: 0, detail: null },
    ...(laptop === null ? {} : { proof_alarms: laptop.proofAlarms, cancels: laptop.cancels }),
  }
}
