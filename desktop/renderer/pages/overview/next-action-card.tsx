import type { ReactElement } from 'react'
import { Link, useLocation } from 'wouter'
import { whyNot, type Press } from '#shared/state/buttons'
import type { NextButton } from '#shared/state/next'
import { DeployNewestAgain } from '../../parts/deploy-newest-again.tsx'
import { EndMaintenance } from '../../parts/end-maintenance.tsx'
import { useActions } from '../../state/actions.tsx'
import { useLive } from '../../state/live.tsx'
import { Icon } from '../../ui/icons.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

/** The one next action, as the state computes it, with the button that does it. */
export function NextActionCard(): ReactElement {
  const { next } = useLive().state
  return (
    <section className={css('next')} aria-label="Next action">
      <div className="next-kind">
        <Icon name="flag" small />
        Next action
      </div>
      <p>
        <b className="strong">{visibleText(next.title)}</b> {visibleText(next.text)}
      </p>
      <div className="row">
        {next.button !== null && <NextStep button={next.button} />}
        {next.why !== undefined && (
          <Link href={next.why.path} className="button">
            {next.why.label}
          </Link>
        )}
      </div>
    </section>
  )
}

/** A button that asks before it acts is the same as elsewhere, filled. */
function NextStep({
  button: { label, does, press, filled },
}: {
  button: NextButton
}): ReactElement | null {
  const { ship, run, busy } = useActions()
  const { retry } = useLive()
  const [, go] = useLocation()
  if (does.kind === 'go') return <PushButton onPress={() => go(does.path)}>{label}</PushButton>
  if (does.kind === 'retry')
    return (
      <PushButton icon="retry" onPress={retry}>
        {label}
      </PushButton>
    )
  if (does.kind === 'run' && does.action === 'maintenance_clear')
    return <EndMaintenance main={filled} />
  if (does.kind === 'run' && does.confirm) return <DeployNewestAgain main={filled} />
  return (
    <PushButton
      kind={filled ? 'main' : 'plain'}
      icon={does.kind === 'ship' ? 'ship' : 'deploy'}
      label={`Next action: ${label}`}
      busy={busy}
      blocked={whyNot(press)}
      onPress={() => (does.kind === 'run' ? run(does.action, does.params) : ship())}
    >
      {withReason(label, press)}
    </PushButton>
  )
}

const withReason = (label: string, press: Press): string =>
  press.state === 'blocked' ? `${label}: ${press.short}` : label
