import { useMutation, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useMemo, useState, type ReactElement, type ReactNode } from 'react'
import { useLocation } from 'wouter'
import type { ActionId } from '#shared/actions'
import { toBridgeError } from '../bridge/bridge-error.ts'
import type { Bridge } from '../bridge/client.ts'
import { useHq } from '../bridge/context.ts'
import { settingsQuery } from '../bridge/queries.ts'
import { applyTheme, rememberedTheme, type Theme } from './theme.ts'

type Source = 'ship' | 'host'
type Params = Readonly<Record<string, unknown>>
/** A cancel that this page requested: since when, and why it failed. */
export interface PageCancel {
  readonly asked_at: string
  readonly error: Error | null
}

/** What the operator can start, from the top bar, a page or the palette alike. */
export interface Actions {
  readonly ship: () => void
  readonly run: (action: ActionId, params?: Params) => void
  readonly cancel: (source: Source, runId: string) => void
  readonly chooseTheme: (theme: Theme) => void
  /** Something is being started; a second one waits for it. */
  readonly busy: boolean
  /** By run: a cancel that this page requested and that has no answer yet, or a refusal. */
  readonly cancels: ReadonlyMap<string, PageCancel>
  /** What did not happen, and why. */
  readonly problem: { readonly what: string; readonly error: Error } | null
  readonly dismiss: () => void
}

const ActionsContext = createContext<Actions | null>(null)

export function ActionsProvider({ children }: { children: ReactNode }): ReactElement {
  const start = useStart()
  const { cancels, cancel } = useCancels()
  const theme = useThemeChoice()
  const { mutate: begin, reset: resetStart, isPending, error: startError } = start
  const { mutate: chooseTheme, reset: resetTheme, error: themeError } = theme
  const actions = useMemo<Actions>(
    () => ({
      ship: () => begin({ kind: 'ship' }),
      run: (action, params) => begin({ kind: 'run', action, params }),
      cancel: (source, runId) => cancel({ source, runId }),
      chooseTheme: (choice) => chooseTheme(choice),
      busy: isPending,
      cancels,
      problem: problemFrom(startError, themeError),
      dismiss: () => {
        resetStart()
        resetTheme()
      },
    }),
    [
      begin,
      resetStart,
      isPending,
      cancel,
      cancels,
      chooseTheme,
      resetTheme,
      startError,
      themeError,
    ],
  )
  return <ActionsContext value={actions}>{children}</ActionsContext>
}

function problemFrom(startError: Error | null, themeError: Error | null): Actions['problem'] {
  if (startError) return { what: 'Not started', error: startError }
  return themeError && { what: 'The theme was not saved', error: themeError }
}

function useStart() {
  const { bridge } = useHq()
  const client = useQueryClient()
  const [, go] = useLocation()
  return useMutation({
    mutationFn: async (
      what: { kind: 'ship' } | { kind: 'run'; action: ActionId; params: Params | undefined },
    ) => (what.kind === 'ship' ? await startShip(bridge) : await startRun(bridge, what)),
    onSuccess: async (path) => {
      go(path)
      await client.invalidateQueries()
    },
  })
}

async function startShip(bridge: Bridge): Promise<string> {
  const { run_id } = await bridge.call('ship.start', {})
  return `/ship/${run_id}`
}

async function startRun(
  bridge: Bridge,
  { action, params }: { action: ActionId; params: Params | undefined },
): Promise<string> {
  const { run_id } = await bridge.call('host.exec', { action, ...(params ? { params } : {}) })
  return `/runs/${run_id}`
}

/** A cancel shows from the press on: the answer comes only when everything of the run has ended. */
function useCancels(): {
  cancels: Actions['cancels']
  cancel: (what: { source: Source; runId: string }) => void
} {
  const { bridge } = useHq()
  const client = useQueryClient()
  const [cancels, setCancels] = useState<Actions['cancels']>(new Map())
  const set = (runId: string, entry: PageCancel | null): void =>
    setCancels((all) => {
      const next = new Map(all)
      if (entry === null) next.delete(runId)
      else next.set(runId, entry)
      return next
    })
  const { mutate } = useMutation({
    mutationFn: ({ source, runId }: { source: Source; runId: string }) =>
      bridge.call(source === 'ship' ? 'ship.cancel' : 'host.cancel', { run_id: runId }),
    onMutate: ({ runId }) => {
      const requested: PageCancel = { asked_at: new Date().toISOString(), error: null }
      set(runId, requested)
      return requested
    },
    onError: async (error, { source, runId }, requested) => {
      // It had ended by itself, as was wanted. A ship of a terminal that cannot be ended says the same class.
      const over = source === 'host' && toBridgeError(error).errorClass === 'not_running'
      if (!over && requested) set(runId, { ...requested, error })
      await client.invalidateQueries()
      if (over) set(runId, null)
    },
    onSuccess: async (_answer, { runId }) => {
      await client.invalidateQueries()
      set(runId, null)
    },
  })
  return { cancels, cancel: mutate }
}

/** The browser has the theme at once; when it cannot be kept in the settings, it goes back and says why. */
function useThemeChoice() {
  const { bridge, info } = useHq()
  const client = useQueryClient()
  const { queryKey } = settingsQuery(bridge)
  const show = (theme: Theme): void => {
    applyTheme(theme)
    client.setQueryData(queryKey, (settings) => settings && { ...settings, theme })
  }
  return useMutation({
    mutationFn: async (theme: Theme) =>
      info.operator ? await bridge.call('settings.set_theme', { theme }) : null,
    onMutate: async (theme) => {
      await client.cancelQueries({ queryKey })
      const before = rememberedTheme()
      show(theme)
      return { before }
    },
    onError: (_error, _theme, context) => {
      if (context) show(context.before)
    },
    onSuccess: (view) => {
      if (view) client.setQueryData(queryKey, view)
    },
  })
}

export function useActions(): Actions {
  const actions = use(ActionsContext)
  if (actions === null) throw new Error('useActions outside ActionsProvider')
  return actions
}
