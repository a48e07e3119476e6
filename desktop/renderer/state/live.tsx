import { useQuery } from '@tanstack/react-query'
import { createContext, use, useMemo, type ReactElement, type ReactNode } from 'react'
import type { Overview } from '#shared/bridge'
import { useHq } from '../bridge/context.ts'
import { overviewQuery } from '../bridge/queries.ts'
import { AskedOf } from '../ui/asked-of.ts'
import { useNow } from '../ui/now.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { stateOf, type State } from '#shared/state/state'

export interface Live {
  readonly overview: Overview
  /** What all of it means. Every page, mark and button reads this. */
  readonly state: State
  readonly now: number
  readonly cut: { readonly since: number; readonly error: Error } | null
  readonly retry: () => void
}
const LiveContext = createContext<Live | null>(null)

/** Keeps the overview for everything below; shows the last known one, with its age, when HQ itself does not answer. */
export function LiveProvider({ children }: { children: ReactNode }): ReactElement {
  const { bridge } = useHq()
  const { data, error, dataUpdatedAt, refetch } = useQuery(overviewQuery(bridge))
  const now = useNow()
  const live = useMemo<Live | null>(() => {
    if (!data) return null
    const cut = error === null ? null : { since: dataUpdatedAt, error }
    return {
      overview: data,
      state: stateOf({ overview: data, now, cut: cut !== null }),
      now,
      cut,
      retry: () => {
        void refetch()
      },
    }
  }, [data, error, dataUpdatedAt, now, refetch])
  if (live)
    return (
      <LiveContext value={live}>
        <AskedOf value={live.overview.connection.url}>{children}</AskedOf>
      </LiveContext>
    )
  return (
    <main className="page page-narrow">
      {error ? (
        <ProblemNote error={error} />
      ) : (
        <p className="soft" role="status">
          Reading the state of laptop and host
        </p>
      )}
    </main>
  )
}

export function useLive(): Live {
  const live = use(LiveContext)
  if (live === null) throw new Error('useLive outside LiveProvider')
  return live
}
