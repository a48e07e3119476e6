import { useLocation } from 'wouter'
import type { Press } from '#shared/state/buttons'
import { actionIds, actionOf, actions, type ActionId } from '#shared/actions'
import { useHq } from '../bridge/context.ts'
import { useActions } from '../state/actions.tsx'
import { commitsToShip } from '../state/run.ts'
import { useLive, type Live } from '../state/live.tsx'
import { useButtonItems, useCommitItems, useRunItems } from './palette-history.ts'
import type { PaletteGroup, PaletteItem } from './palette-item.ts'
import { pagesFor } from './pages.ts'
import { rememberedTheme, type Theme } from '../state/theme.ts'

/**
 * What the palette offers, in the order it is most likely wanted. It does nothing destructive itself: it leads to the
 * button.
 * @param typed what is searched for
 */
export function usePaletteItems(typed: string): readonly PaletteGroup[] {
  return [
    { title: 'Actions', items: [...useMainActions(), ...useHostActions()] },
    { title: 'Go to', items: useGoTo() },
    { title: 'Commits', items: useCommitItems(typed) },
    { title: 'Runs', items: useRunItems(typed) },
    { title: 'With a question first', items: useButtonItems() },
    { title: 'Theme', items: useThemes() },
  ]
}

/** Ship and Deploy+Verify; while one runs, the way to it. */
function useMainActions(): PaletteItem[] {
  const { info } = useHq()
  const live = useLive()
  const { ship, run } = useActions()
  const [, go] = useLocation()
  const deploy = deployItem(live, { run: () => run('deploy_and_verify'), go })
  return info.operator ? [shipItem(live, { run: ship, go }), deploy] : [deploy]
}

/** Why it cannot be chosen, as its button says it. */
const blockedBy = (press: Press): { blocked?: string } =>
  press.state === 'blocked' ? { blocked: press.short } : {}

interface Ways {
  readonly run: () => void
  readonly go: (path: string) => void
}

function shipItem({ overview, state }: Live, { run, go }: Ways): PaletteItem {
  const press = state.buttons.ship
  if (press.state === 'running') {
    const { runId } = press
    return {
      id: 'ship',
      title: 'Ship: follow the running one',
      icon: 'ship',
      tone: 'running',
      run: () => go(`/ship/${runId}`),
    }
  }
  return {
    id: 'ship',
    title: 'Ship',
    icon: 'ship',
    end: commitsToShip(overview),
    run,
    ...blockedBy(press),
  }
}

function deployItem({ state }: Live, { run, go }: Ways): PaletteItem {
  const press = state.buttons.deploy
  if (press.state === 'running') {
    const { runId } = press
    return {
      id: 'deploy',
      title: `${actions.deploy_and_verify.button}: follow the running one`,
      icon: 'deploy',
      tone: 'running',
      run: () => go(`/runs/${runId}`),
    }
  }
  return {
    id: 'deploy',
    title: actions.deploy_and_verify.button,
    icon: 'deploy',
    run,
    ...blockedBy(press),
  }
}

/** What the host can be made to run at any time: it changes nothing that an operator must confirm, and takes no text. */
const hostActions: readonly ActionId[] = actionIds.filter((id) => {
  const { destructive, forAgents = false, params } = actionOf(id)
  if (id === 'deploy_and_verify' || destructive || forAgents) return false
  return params.safeParse({}).success
})

function useHostActions(): PaletteItem[] {
  const { state } = useLive()
  const { run } = useActions()
  return hostActions.map((id) => {
    const { button, paletteText } = actionOf(id)
    return {
      id,
      title: button,
      icon: 'doctor',
      run: () => run(id),
      ...(paletteText === undefined ? {} : { searchText: paletteText }),
      ...blockedBy(state.buttons.of(id)),
    }
  })
}

function useGoTo(): PaletteItem[] {
  const { info } = useHq()
  const [, go] = useLocation()
  return pagesFor(info.operator).map(({ path, title, icon, paletteText }) => ({
    id: `go ${path}`,
    title,
    icon,
    searchText: ['go to page', paletteText].filter(Boolean).join(' '),
    run: () => go(path),
  }))
}

const themes: Readonly<Record<Theme, string>> = {
  system: 'Theme as the system has it',
  light: 'Light theme',
  dark: 'Dark theme',
}

function useThemes(): PaletteItem[] {
  const { chooseTheme } = useActions()
  const current = rememberedTheme()
  return (['system', 'light', 'dark'] as const)
    .filter((theme) => theme !== current)
    .map((theme) => ({
      id: `theme ${theme}`,
      title: themes[theme],
      icon: 'settings',
      searchText: 'colour appearance',
      run: () => chooseTheme(theme),
    }))
}
