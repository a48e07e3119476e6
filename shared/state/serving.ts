/** What serves on the host, and what is known of it; and the pin that a rollback left. */
import type { Overview } from '../bridge.ts'
import type { Pin } from '../result.ts'
import { unreadableDeploy } from './gates.ts'
import { troubleOf, type ProofTrouble } from './proof.ts'

export interface Serving {
  /** The commit that the host says it serves; null: nothing, or the host was never read. */
  readonly commit: string | null
  /**
   * `green`: a deploy of it passed. `unverified`: none did, a deploy ended after its switch. `broken`, `unreadable`:
   * the proof of that deploy. `nothing`: the host serves nothing. `unknown`: the host was never read.
   */
  readonly standing: 'green' | 'unverified' | 'broken' | 'unreadable' | 'nothing' | 'unknown'
  /** When it became green. */
  readonly since: string | null
  /** The deploy that made it green. */
  readonly run_id: string | null
}

export function servingOf({ status }: Overview, troubles: readonly ProofTrouble[]): Serving {
  const none = { commit: null, since: null, run_id: null }
  if (status === null) return { ...none, standing: 'unknown' }
  const commit = status.host.serving
  if (commit === null) {
    const unknown = status.unreadable?.some(({ kind }) => kind === 'serving') === true
    return { ...none, standing: unknown ? 'unreadable' : 'nothing' }
  }
  const { state } = status
  if (state?.last_verified_head !== commit)
    return { ...none, commit, standing: state === null ? standingOf(status) : 'unverified' }
  const { last_deploy_run_id: run_id, last_deploy_timestamp: since } = state
  const trouble = troubleOf(troubles, 'deploy', run_id)
  const standing = trouble?.state ?? (unreadableDeploy(status) === run_id ? 'unreadable' : 'green')
  return { commit, since, run_id, standing }
}

/** Without a state nobody knows whether what serves became green: the file may be damaged. */
const standingOf = (status: NonNullable<Overview['status']>): Serving['standing'] =>
  status.unreadable?.some(({ kind }) => kind === 'state') === true ? 'unreadable' : 'unverified'

/**
 * Where a rollback without a commit goes: the last green commit before the one that serves. What serves may never have
 * become green: then the state still names the one before.
 */
export function rollbackTarget(status: Overview['status']): string | null {
  const serving = status?.host.serving ?? null
  const state = status?.state ?? null
  if (serving === null || state === null) return null
  return serving === state.target_sha ? (state.rollback_to ?? null) : state.target_sha
}

/** A rollback keeps deploys away from a commit. */
export interface PinState extends Pin {
  /** The commit it keeps away is still the newest that HQ knows of origin/main. */
  readonly holds: boolean
  /** The commit it is pinned to is the one that serves: a deploy that was to end the pin may have switched already. */
  readonly serves: boolean
}

export function pinOf(overview: Overview): PinState | null {
  const { status } = overview
  const pin = status?.state?.pin ?? null
  if (pin === null) return null
  const moved = knownMains(overview).some((sha) => sha !== pin.from_sha)
  return { ...pin, holds: !moved, serves: status?.host.serving === pin.sha }
}

/**
 * What a deploy would bring: origin/main, as far as laptop and host know it. The laptop's own push counts when it is
 * newer than the newest ship that the host knows; else the host may know of another laptop's.
 */
export function targetOf({ status, repository, ship_result }: Overview): string | null {
  const remote = repository?.remote ?? null
  const shipped = status?.last_ship.result ?? null
  if (shipped?.pushed_sha === null || shipped === null) return remote
  const ownIsNewer =
    ship_result !== null &&
    ship_result.pushed_sha === remote &&
    ship_result.finished_at >= shipped.finished_at
  return ownIsNewer ? remote : shipped.pushed_sha
}

const knownMains = ({ status, repository }: Overview): string[] =>
  [repository?.remote ?? null, status?.last_ship.result?.pushed_sha ?? null].filter(
    (sha) => sha !== null,
  )
