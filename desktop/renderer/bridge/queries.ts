import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { ActionId } from '#shared/actions'
import type { Overview } from '#shared/bridge'
import type { EvidencePlace } from '#shared/evidence'
import { isEnded, type RunStatus } from '#shared/run'
import type { Bridge } from './client.ts'

const quick = 1_000
const calm = 5_000

export const isActive = (overview: Overview | undefined): boolean =>
  overview !== undefined &&
  (overview.ship?.active === true || (overview.status?.active_runs.length ?? 0) > 0)

/** Everything the frame and the overview show. Frequent while something runs or HQ is in front, rare otherwise. */
export const overviewQuery = (bridge: Bridge) =>
  queryOptions({
    queryKey: ['overview'],
    queryFn: () => bridge.call('overview.get', {}),
    refetchInterval: (query) => (isActive(query.state.data) || document.hasFocus() ? quick : calm),
    refetchIntervalInBackground: true,
    staleTime: 500,
  })

export const shipsQuery = (bridge: Bridge, active: boolean) =>
  queryOptions({
    queryKey: ['ships'],
    queryFn: () => bridge.call('ship.list', {}),
    refetchInterval: active ? 2_000 : 15_000,
  })

export const shipQuery = (bridge: Bridge, run_id: string) =>
  queryOptions({
    queryKey: ['ship', run_id],
    queryFn: () => bridge.call('ship.get', { run_id }),
    refetchInterval: (query) => (query.state.data?.summary.active === false ? false : quick),
  })

export interface RunsFilter {
  readonly action?: ActionId
  readonly status?: RunStatus
}
export const runsQuery = (bridge: Bridge, filter: RunsFilter) =>
  infiniteQueryOptions({
    queryKey: ['runs', filter],
    queryFn: ({ pageParam }) =>
      bridge.call('host.runs', {
        ...filter,
        limit: 50,
        ...(pageParam === null ? {} : { cursor: pageParam }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: calm,
  })

export const runQuery = (bridge: Bridge, run_id: string) =>
  queryOptions({
    queryKey: ['run', run_id],
    queryFn: () => bridge.call('host.run', { run_id }),
    refetchInterval: (query) =>
      query.state.data && isEnded(query.state.data.run.status) ? false : quick,
  })

export const folderQuery = (bridge: Bridge, path: string) =>
  queryOptions({
    queryKey: ['artifacts', path],
    queryFn: () => bridge.call('host.artifacts', { path }),
    staleTime: calm,
  })
export const shipKeyQuery = (bridge: Bridge) =>
  queryOptions({
    queryKey: ['ship_key'],
    queryFn: () => bridge.call('ship_key.get', {}),
    refetchInterval: calm,
  })
export const hostsQuery = (bridge: Bridge) =>
  queryOptions({
    queryKey: ['hosts'],
    queryFn: () => bridge.call('hosts.list', {}),
    refetchInterval: quick,
  })
/** Asks each machine of the tailnet whether it is a host, so it is rare. */
export const machinesQuery = (bridge: Bridge) =>
  queryOptions({
    queryKey: ['machines'],
    queryFn: () => bridge.call('hosts.discover', {}),
    refetchInterval: 10_000,
  })

export const settingsQuery = (bridge: Bridge) =>
  queryOptions({ queryKey: ['settings'], queryFn: () => bridge.call('settings.get', {}) })

export const proofsQuery = (bridge: Bridge) =>
  infiniteQueryOptions({
    queryKey: ['proofs'],
    queryFn: ({ pageParam }) =>
      bridge.call('proofs.list', pageParam === null ? {} : { cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: 10_000,
  })

/** @param busy something moves, so it is read each second */
export const connectorsQuery = (bridge: Bridge, busy: boolean) =>
  queryOptions({
    queryKey: ['connectors'],
    queryFn: () => bridge.call('connectors.get', {}),
    refetchInterval: (query) =>
      busy || query.state.data?.flows.some(({ end }) => end === null) === true ? quick : calm,
  })

/** The files of one run, and what is wrong with its proof. */
export const evidenceQuery = (bridge: Bridge, place: EvidencePlace) =>
  queryOptions({
    queryKey: ['evidence', place],
    queryFn: () => bridge.call('proofs.evidence', place),
    refetchInterval: 15_000,
  })

export const evidenceFileQuery = (bridge: Bridge, place: EvidencePlace, path: string) =>
  queryOptions({
    queryKey: ['evidence', place, path],
    queryFn: () => bridge.call('proofs.file', { ...place, path }),
    staleTime: calm,
    // A file may have 16 MB: only the one that is shown is kept.
    gcTime: 0,
  })
