import type { ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { Link, useLocation } from 'wouter'
import { actions } from '#shared/actions'
import { useHq } from '../bridge/context.ts'
import { Icon, Mark } from '../ui/icons.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { Clock } from '../ui/time.tsx'
import { useActions } from '../state/actions.tsx'
import { commitsToShip, startOf, titleOfRun } from '../state/run.ts'
import { startOfRun } from '../text/format.ts'
import { HostButton } from './host-button.tsx'
import { useLive } from '../state/live.tsx'
import { pagesFor } from './pages.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './top-bar.module.css'

const css = bindStyles(styles)

const { button: deployButton } = actions.deploy_and_verify

const modifier = /Mac|iP(?:hone|ad)/.test(navigator.platform) ? '⌘' : 'Ctrl '

/** Host, search, and the two buttons that always stand in the same place. */
export function TopBar({ onSearch }: { onSearch: () => void }): ReactElement {
  const { info } = useHq()
  return (
    <header className={css('top')}>
      <HostButton />
      <span className="grow" />
      <Button className={css('search')} aria-keyshortcuts="Meta+K Control+K" onPress={onSearch}>
        <Icon name="search" />
        <span className="ellipsis">Search or run…</span> <kbd>{modifier}K</kbd>
      </Button>
      {info.operator && <ShipButton />}
      <DeployButton />
    </header>
  )
}

/** At most one button of HQ is filled: on the Overview that of the next action, on a page about something else none. */
function useMayBeFilled(): boolean {
  const { info } = useHq()
  const [location] = useLocation()
  return pagesFor(info.operator).some(
    (page) => page.showsNextStep && (location || '/') === page.path && page.path !== '/',
  )
}

function ShipButton(): ReactElement {
  const { overview, state } = useLive()
  const { ship, busy } = useActions()
  const mayBeFilled = useMayBeFilled()
  const press = state.buttons.ship
  if (press.state === 'running')
    return (
      <RunningLink
        href={`/ship/${press.runId}`}
        name="Ship"
        text="Shipping"
        since={startOfRun(press.runId)}
      />
    )
  if (press.state === 'blocked') return <Blocked icon="ship" name="Ship" reason={press} />
  const ahead = overview.repository?.ahead ?? 0
  return (
    <PushButton
      icon="ship"
      kind={state.primary === 'ship' && mayBeFilled ? 'main' : 'plain'}
      description={commitsToShip(overview)}
      busy={busy}
      onPress={ship}
    >
      Ship {ahead > 0 && <span className={css('button-count')}>{ahead}</span>}
    </PushButton>
  )
}

function DeployButton(): ReactElement {
  const { state } = useLive()
  const { run, busy } = useActions()
  const mayBeFilled = useMayBeFilled()
  const press = state.buttons.deploy
  if (press.state === 'running' && press.run !== null) {
    const { run: active } = press
    const text = active.action === 'deploy_and_verify' ? 'Deploying' : titleOfRun(active)
    return (
      <RunningLink
        href={`/runs/${press.runId}`}
        name={titleOfRun(active)}
        text={text}
        since={startOf(active)}
      />
    )
  }
  if (press.state === 'blocked') return <Blocked icon="deploy" name={deployButton} reason={press} />
  return (
    <PushButton
      icon="deploy"
      kind={state.primary === 'deploy' && mayBeFilled ? 'main' : 'plain'}
      label={deployButton}
      busy={busy}
      onPress={() => run('deploy_and_verify')}
    >
      {deployButton}
    </PushButton>
  )
}

function Blocked({
  icon,
  name,
  reason,
}: {
  icon: 'ship' | 'deploy'
  name: string
  reason: { short: string; whole: string }
}): ReactElement {
  return (
    <span title={reason.whole} className={css('top-blocked')}>
      <PushButton
        icon={icon}
        blocked={reason.whole}
        description={reason.whole}
      >{`${name}: ${reason.short}`}</PushButton>
    </span>
  )
}

function RunningLink({
  href,
  name,
  text,
  since,
}: {
  href: string
  /** What runs. */
  name: string
  text: string
  since: number
}): ReactElement {
  return (
    <Link href={href} className="button">
      <Mark tone="running" />
      <span>
        <span className="unseen">{name}: </span>
        {text} <Clock since={since} />
        <span className="unseen">: open it</span>
      </span>
    </Link>
  )
}
