import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { Commit } from '../ui/copy.tsx'
import { Icon } from '../ui/icons.tsx'
import { Age } from '../ui/time.tsx'
import { shortRun } from '../text/format.ts'
import type { PinState } from '#shared/state/serving'
import { useLive } from '../state/live.tsx'
import { DeployNewestAgain } from './deploy-newest-again.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './pin-card.module.css'

const css = bindStyles(styles)

/**
 * The host is pinned by a rollback: to what, since when, what that keeps from happening, and how it ends.
 * @param button whether the way to end it stands here; on the Overview the next action has it
 */
export function PinCard({ button = false }: { button?: boolean }): ReactElement | null {
  const { pin, reach, deploy } = useLive().state
  if (pin === null) return null
  const ending = deploy?.action === 'deploy_and_verify'
  return (
    <section
      className={css(`pin-card ${reach.stale ? 'faded' : ''}`)}
      aria-label="Pinned by a rollback"
    >
      <Icon name="pin" />
      <div className="grow">
        <h2>
          {reach.name} is pinned to <Commit id={pin.sha} />
        </h2>
        <p className="soft">
          Since rollback{' '}
          <Link href={`/runs/${pin.run_id}`} className="mono">
            {shortRun(pin.run_id)}
          </Link>
          , <Age at={pin.since} />. <PinEnd pin={pin} ending={ending} />
        </p>
      </div>
      {button && pin.holds && !ending && <DeployNewestAgain />}
    </section>
  )
}

/** What the pin keeps from happening, and what ends it. @param ending a deploy that ends it runs now */
function PinEnd({
  pin: { holds, serves, from_sha },
  ending,
}: {
  pin: PinState
  ending: boolean
}): ReactElement {
  if (ending) return <>The deploy that runs now ends it, once it is green.</>
  if (holds && !serves)
    return (
      <>
        A deploy ended after its switch, so another commit serves. Deploys still do not bring{' '}
        <Commit id={from_sha} /> by themselves: Roll back, or deploy the newest again.
      </>
    )
  if (holds)
    return (
      <>
        Deploys do not bring <Commit id={from_sha} />, which was rolled back from, until another
        commit is on origin/main. The next ship ends the pin.
      </>
    )
  return (
    <>
      origin/main has moved on from <Commit id={from_sha} />, which was rolled back from: the next
      deploy ends the pin.
    </>
  )
}
