import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { actionOf } from '#shared/actions'
import type { ConnectorsView } from '#shared/bridge'
import type { Run } from '#shared/run'
import { useHq } from '../../bridge/context.ts'
import { connectorsQuery } from '../../bridge/queries.ts'
import { useLive } from '../../state/live.tsx'

interface Known {
  /** null: the first answer is on its way, or `error` says why there is none. */
  readonly view: ConnectorsView | null
  readonly error: Error | null
  /** The run of the host that checks connectors now. */
  readonly checking: Run | null
}

/** What HQ knows of the connectors: read each second while something moves, calmly otherwise. */
export function useConnectors(): Known {
  const { bridge } = useHq()
  const { overview, state } = useLive()
  const active = overview.status?.active_runs.find(
    ({ action }) => actionOf(action).result === 'connectors',
  )
  const checking = state.reach.stale ? null : (active ?? null)
  const { data, error, refetch } = useQuery(connectorsQuery(bridge, checking !== null))
  const runs = checking !== null
  useEffect(() => {
    // What a run found is there when it has ended.
    if (!runs) void refetch()
  }, [runs, refetch])
  return { view: data ?? null, error, checking }
}

export interface Requests {
  readonly send: (request: () => Promise<unknown>) => void
  readonly busy: boolean
  readonly error: Error | null
  readonly forget: () => void
}

/** Requests of one card: one at a time, and why the last was refused. */
export function useRequests(): Requests {
  const client = useQueryClient()
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: async (request: () => Promise<unknown>) => await request(),
    onSettled: async () => await client.invalidateQueries(),
  })
  return { send: mutate, busy: isPending, error, forget: reset }
}
