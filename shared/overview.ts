/** The Overview: what one side knows now, HQ on the laptop or the page of the console. It judges nothing. */
import type { StatusReply } from './api.ts'
import type { HostConnection, HostSummary } from './host-connection.ts'
import type { CancelView, Overview, RepositoryState, ShipSummary } from './bridge.ts'
import type { Connecting } from './connect-flow.ts'
import type { ShipResult } from './result.ts'
import { typicalDurations, type PassedRun } from './typical-durations.ts'

/** What is known now. The console page has no laptop: its `laptop` is null. */
export interface OverviewFacts {
  readonly connection: HostConnection
  readonly status: StatusReply | null
  readonly deploy: Overview['deploy']
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
  readonly shipProof: Overview['ship_proof']
  readonly upload: Overview['upload']
  readonly proofAlarms: NonNullable<Overview['proof_alarms']>
  readonly connecting: Connecting[]
  readonly cancels: CancelView[]
  readonly hosts: HostSummary[]
}

/** Everything that is known now; nothing is waited for. */
export function composeOverview(facts: OverviewFacts): Overview {
  const { connection, status, laptop, deploy } = facts
  return {
    place: laptop === null ? 'console' : 'laptop',
    connection,
    repository: laptop?.repository ?? null,
    ship: laptop?.ship ?? null,
    ship_result: laptop?.shipResult ?? null,
    ship_proof: laptop?.shipProof ?? null,
    status,
    deploy,
    usual_ms: typicalDurations(facts.passedRuns),
    upload: laptop?.upload ?? { queued: 0, detail: null },
    ...(laptop === null
      ? {}
      : {
          proof_alarms: laptop.proofAlarms,
          connecting: laptop.connecting,
          cancels: laptop.cancels,
          hosts: laptop.hosts,
        }),
  }
}
