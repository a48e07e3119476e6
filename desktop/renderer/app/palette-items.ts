import { useLocation } from 'wouter'
import { useHq } from '../bridge/context.ts'
import type { IconName } from '../ui/icons.tsx'
import { age, shortRun } from '../text/format.ts'
import { ofRun, type Tone } from '../text/status.ts'
import { useActions } from '../state/actions.tsx'
import { commitsToShip, pinReason, titleOfRun } from '../state/facts.ts'
import { useLive } from '../state/live.tsx'
import { pagesFor } from './pages.ts'
import { rememberedTheme, type Theme } from '../state/theme.ts'

export interface PaletteItem {
  readonly id: string
  readonly title: string
  readonly icon: IconName
  readonly tone?: Tone
  /** More that can be searched for. */
  readonly searchText?: string
  readonly end?: string
  /** Why it cannot be chosen now. */
  readonly blocked?: string
  readonly run: () => void
}
export interface PaletteGroup {
  readonly title: string
  readonly items: readonly PaletteItem[]
}

const themes: readonly Theme[] = ['system', 'light', 'dark']

/** What the palette offers, in the order it is most likely wanted. Destroying things is not among it. */
export function usePaletteItems(): readonly PaletteGroup[] {
  const { info } = useHq()
  const { overview, facts, now } = useLive()
  const { ship, run, chooseTheme } = useActions()
  const [, go] = useLocation()
  const away =
    facts.stale || overview.connection.state !== 'online' ? { blocked: 'host unreachable' } : {}
  const active = overview.status?.active_runs ?? []

  const actions: PaletteItem[] = []
  if (info.operator) {
    if (facts.ship) {
      const { runId } = facts.ship
      actions.push({
        id: 'ship',
        title: 'Ship: follow the running one',
        icon: 'ship',
        tone: 'running',
        run: () => go(`/ship/${runId}`),
      })
    } else
      actions.push({
        id: 'ship',
        title: 'Ship',
        icon: 'ship',
        end: commitsToShip(overview),
        run: ship,
        ...(facts.shipBlocked ? { blocked: facts.shipBlocked.short } : {}),
      })
  }
  if (facts.deploy && !facts.stale) {
    const { run_id } = facts.deploy
    actions.push({
      id: 'deploy',
      title: 'Deploy+Verify: follow the running one',
      icon: 'deploy',
      tone: 'running',
      run: () => go(`/runs/${run_id}`),
    })
  } else
    actions.push({
      id: 'deploy',
      title: 'Deploy+Verify',
      icon: 'deploy',
      run: () => run('deploy_and_verify'),
      ...(facts.deployBlocked
        ? { blocked: facts.deployBlocked.short }
        : facts.pin?.holds
          ? { blocked: pinReason(facts).short }
          : {}),
    })
  actions.push(
    {
      id: 'doctor',
      title: 'Run doctor',
      icon: 'doctor',
      searchText: 'check health',
      run: () => run('doctor'),
      ...away,
    },
    { id: 'guard', title: 'Run guard', icon: 'doctor', run: () => run('guard'), ...away },
    {
      id: 'guard-log',
      title: 'Guard log',
      icon: 'doctor',
      searchText: 'last passes repairs restarts',
      run: () => run('tail_guard_log'),
      ...away,
    },
    {
      id: 'ports',
      title: 'Run port audit',
      icon: 'doctor',
      searchText: 'sockets public',
      run: () => run('port_audit'),
      ...away,
    },
    {
      id: 'selftest',
      title: 'Run self-test',
      icon: 'doctor',
      searchText: 'guards planted violations',
      run: () => run('selftest'),
      ...away,
    },
  )

  const recent = [
    ...active,
    ...(overview.status?.recent_deploys ?? []).filter(
      (each) => !active.some(({ run_id }) => run_id === each.run_id),
    ),
  ].slice(0, 8)
  return [
    { title: 'Actions', items: actions },
    {
      title: 'Go to',
      items: pagesFor(info.operator).map(({ path, title, icon, paletteText }) => ({
        id: `go ${path}`,
        title,
        icon,
        searchText: ['go to page', paletteText].filter(Boolean).join(' '),
        run: () => go(path),
      })),
    },
    {
      title: 'Runs',
      items: recent.map((each) => ({
        id: each.run_id,
        title: `${titleOfRun(each)} ${shortRun(each.run_id)}`,
        searchText: each.run_id,
        icon: 'runs' as const,
        tone: ofRun(each.status, each.error_class).tone,
        end: each.error_class ?? age(now - Date.parse(each.requested_at)),
        run: () => go(`/runs/${each.run_id}`),
      })),
    },
    {
      title: 'Theme',
      items: themes
        .filter((theme) => theme !== rememberedTheme())
        .map((theme) => ({
          id: `theme ${theme}`,
          title:
            theme === 'system'
              ? 'Theme as the system has it'
              : `${theme === 'dark' ? 'Dark' : 'Light'} theme`,
          icon: 'settings' as const,
          searchText: 'colour appearance',
          run: () => chooseTheme(theme),
        })),
    },
  ]
}
