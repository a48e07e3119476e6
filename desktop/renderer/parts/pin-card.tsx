import { useState, type ReactElement } from 'react'
import { Link } from 'wouter'
import { Commit } from '../ui/copy.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { Age } from '../ui/time.tsx'
import { shortCommit, shortRun } from '../text/format.ts'
import { useActions } from '../state/actions.tsx'
import type { Facts } from '../state/facts.ts'
import { useLive } from '../state/live.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './pin-card.module.css'

const css = bindStyles(styles)

/** The host is pinned by a rollback: to what, since when, what that keeps from happening, and how it ends. */
export function PinCard(): ReactElement | null {
  const {
    overview: { status },
    facts,
  } = useLive()
  const { run, busy } = useActions()
  const [confirming, setConfirming] = useState(false)
  const { pin, hostName, stale, deployBlocked } = facts
  if (pin === null) return null
  const serving = status?.host.serving ?? null
  const ending = facts.deploy?.action === 'deploy_and_verify'
  return (
    <section className={css(`pin-card ${stale ? 'faded' : ''}`)} aria-label="Pinned by a rollback">
      <Icon name="pin" />
      <div className="grow">
        <h2>
          {hostName} is pinned to <Commit id={pin.sha} />
        </h2>
        <p className="soft">
          Since rollback{' '}
          <Link href={`/runs/${pin.run_id}`} className="mono">
            {shortRun(pin.run_id)}
          </Link>
          , <Age at={pin.since} />. <PinEnd pin={pin} ending={ending} />
        </p>
      </div>
      {pin.holds && !ending && (
        <PushButton
          busy={busy}
          blocked={deployBlocked?.whole ?? null}
          onPress={() => setConfirming(true)}
        >
          Deploy the newest again
        </PushButton>
      )}
      <Confirm
        open={confirming}
        calm
        title={`Deploy ${shortCommit(pin.from_sha)} again?`}
        confirm="Deploy the newest"
        keep={`Stay on ${shortCommit(pin.sha)}`}
        onConfirm={() => run('deploy_and_verify', { unpin: true })}
        onClose={() => setConfirming(false)}
      >
        <p>
          It was rolled back from on purpose. Whatever origin/main holds by then is built, switched
          to and verified like any deploy, and the pin ends once it is green.
          {serving !== null && (
            <>
              {' '}
              <Commit id={serving} /> serves until it is up, and stays if its build fails.
            </>
          )}
        </p>
      </Confirm>
    </section>
  )
}

/** What the pin keeps from happening, and what ends it. @param ending a deploy that ends it runs now */
function PinEnd({
  pin: { holds, from_sha },
  ending,
}: {
  pin: NonNullable<Facts['pin']>
  ending: boolean
}): ReactElement {
  if (ending) return <>The deploy that runs now ends it, once it is green.</>
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
