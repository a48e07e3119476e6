import { useMutation, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useMemo, type ReactElement, type ReactNode } from 'react'
import { useLocation } from 'wouter'
import type { ActionId } from '#shared/actions'
import { useHq } from '../bridge/context.ts'

/** What the operator can set off, from the top bar, a page or the palette alike. */
export interface Actions {
  readonly ship: () => void
  readonly run: (action: ActionId, params?: Readonly<Record<string, unknown>>) => void
  readonly cancel: (source: 'ship' | 'host', runId: string) => void
  readonly busy: boolean
  /** Why the last one did not start. */
  readonly problem: Error | null
  readonly dismiss: () => void
}

const ActionsContext = createContext<Actions | null>(null)

export function ActionsProvider({ children }: { children: ReactNode }): ReactElement {
  const { bridge } = useHq()
  const client = useQueryClient()
  const [, go] = useLocation()
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: async (what: { kind: 'ship' } | { kind: 'run'; action: ActionId; params?: Readonly<Record<string, unknown>> | undefined } | { kind: 'cancel'; source: 'ship' | 'host'; runId: string }) => {
      if (what.kind === 'ship') return `/ship/${(await bridge.call('ship.start', {})).run_id}`
      if (what.kind === 'run') return `/runs/${(await bridge.call('host.exec', { action: what.action, ...(what.params ? { params: what.params } : {}) })).run_id}`
      await bridge.call(what.source === 'ship' ? 'ship.cancel' : 'host.cancel', { run_id: what.runId })
      return null
    },
    onSuccess: async (path) => {
      if (path !== null) go(path)
      await client.invalidateQueries()
    },
  })
  const actions = useMemo<Actions>(() => ({
    ship: () => mutate({ kind: 'ship' }),
    run: (action, params) => mutate({ kind: 'run', action, params }),
    cancel: (source, runId) => mutate({ kind: 'cancel', source, runId }),
    busy: isPending, problem: error, dismiss: reset,
  }), [mutate, isPending, error, reset])
  return <ActionsContext value={actions}>{children}</ActionsContext>
}

export function useActions(): Actions {
  const actions = use(ActionsContext)
  if (actions === null) throw new Error('useActions outside ActionsProvider')
  return actions
}
