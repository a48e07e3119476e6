import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, type ReactElement } from 'react'
import { Router } from 'wouter'
import type { BridgeTransport } from '#shared/bridge'
import { bridgeOver } from '../bridge/client.ts'
import { HqContext, useHq } from '../bridge/context.ts'
import { settingsQuery } from '../bridge/queries.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { ActionsProvider } from '../state/actions.tsx'
import { Banners } from './banners.tsx'
import { hashRouting } from './hash-location.ts'
import { LiveProvider } from '../state/live.tsx'
import { pagesFor } from './pages.ts'
import { Palette, usePaletteKey } from './palette.tsx'
import { PageRouter } from './router.tsx'
import { Sidebar } from './sidebar.tsx'
import { applyTheme } from '../state/theme.ts'
import { TopBar } from './top-bar.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './hq.module.css'

const css = bindStyles(styles)

/** HQ over one transport, from the first request on. */
export function Hq({ transport }: { transport: BridgeTransport }): ReactElement | null {
  const bridge = useMemo(() => bridgeOver(transport), [transport])
  const { data: info, error } = useQuery({
    queryKey: ['info'],
    queryFn: () => bridge.call('app.info', {}),
    staleTime: Infinity,
    refetchInterval: (query) => (query.state.data ? false : 3_000),
  })
  const hq = useMemo(() => (info ? { bridge, info } : null), [bridge, info])
  if (hq === null)
    return error ? (
      <main className="page page-narrow">
        <ProblemNote error={error} />
      </main>
    ) : null
  return (
    <HqContext value={hq}>
      <Router {...hashRouting}>
        <LiveProvider>
          <ActionsProvider>
            <Frame />
          </ActionsProvider>
        </LiveProvider>
      </Router>
    </HqContext>
  )
}

function Frame(): ReactElement {
  const { info } = useHq()
  const palette = usePaletteKey()
  return (
    <div className={css('app')}>
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('main')?.focus()
        }}
      >
        Skip to the page
      </a>
      {info.operator && <FollowTheme />}
      <Sidebar />
      <TopBar onSearch={() => palette.setOpen(true)} />
      <main className={css('main')} id="main" tabIndex={-1}>
        <Banners />
        <PageRouter pages={pagesFor(info.operator)} />
      </main>
      <Palette open={palette.open} onClose={() => palette.setOpen(false)} />
    </div>
  )
}

/** The theme of the settings wins. */
function FollowTheme(): null {
  const { bridge } = useHq()
  const theme = useQuery(settingsQuery(bridge)).data?.theme
  useEffect(() => {
    if (theme) applyTheme(theme)
  }, [theme])
  return null
}
