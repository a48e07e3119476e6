import type { ReactElement } from 'react'
import { Link, useLocation } from 'wouter'
import type { MaintenanceState } from '#shared/api'
import { errorRule } from '#shared/errors'
import { personName, personsMaintenance } from '#shared/maintenance'
import { toBridgeError } from '../bridge/bridge-error.ts'
import { useHq } from '../bridge/context.ts'
import { Icon, Mark } from '../ui/icons.tsx'
import { useRemedy } from '../ui/remedy.ts'
import { PushButton } from '../ui/push-button.tsx'
import { shortRun, span, timeOfDay } from '../text/format.ts'
import { visibleText } from '../text/visible-text.ts'
import { useActions } from '../state/actions.tsx'
import { CancelBanners } from '../parts/cancel.tsx'
import { EndMaintenance } from '../parts/end-maintenance.tsx'
import { useLive } from '../state/live.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './banners.module.css'

const css = bindStyles(styles)

/** Pages that say by themselves why the host cannot be reached. */
const saysIt: ReadonlySet<string> = new Set(['/', '/hosts'])

/** One line each, only when there is something to say. */
export function Banners(): ReactElement {
  const { info } = useHq()
  const [location] = useLocation()
  const {
    overview: { connection },
    state,
    now,
    cut,
  } = useLive()
  const unreachable =
    state.reach.stale && !cut && connection.as_of !== null && !saysIt.has(location)
  return (
    <>
      {cut && <CutBanner since={cut.since} error={cut.error} now={now} />}
      {unreachable && (
        <div className="banner fail" role="status">
          <Icon name="offline" />
          <span className="ellipsis">
            <b>
              {state.reach.name} is {state.reach.away}.
            </b>{' '}
            <span className="soft">
              What you see of it is as of {timeOfDay(connection.as_of ?? '')}. HQ tries again by
              itself.
            </span>
          </span>
        </div>
      )}
      <ProofAlarmBanner />
      <CancelBanners />
      <MaintenanceBanner />
      {(info.demo || state.change.scripted_review) && (
        <div className={css('banner info')} role="note">
          <Icon name="demo" />
          <span className="ellipsis">
            <b>
              {info.demo
                ? 'This is the local demo.'
                : 'The review of this change is scripted (demo).'}
            </b>{' '}
            <span className="soft">
              {state.change.scripted_review
                ? 'Its review verdict is scripted (demo): no model read the change.'
                : 'Everything in it is real and lies in one folder that can be removed.'}
            </span>
          </span>
        </div>
      )}
      <ActionProblem />
    </>
  )
}

/** HQ itself does not answer; or it was restarted, and this page still holds the secret of the start before. */
function CutBanner({
  since,
  error,
  now,
}: {
  since: number
  error: Error
  now: number
}): ReactElement {
  const { errorClass, message } = toBridgeError(error)
  const asOf = `What you see is as of ${timeOfDay(new Date(since).toISOString())}`
  return (
    <div className="banner fail" role="status">
      <Icon name="offline" />
      <span className="ellipsis">
        {errorClass === 'forbidden' ? (
          <>
            <b>This page belongs to an earlier start of HQ.</b>{' '}
            <span className="soft">
              {visibleText(message)} {asOf}.
            </span>
          </>
        ) : (
          <>
            <b>HQ does not answer for {span(now - since)}.</b>{' '}
            <span className="soft">{asOf}; this page reconnects by itself.</span>
          </>
        )}
      </span>
    </div>
  )
}

/** A proof that is not what was witnessed shows on every page; the Proofs page has its own card for it. */
function ProofAlarmBanner(): ReactElement | null {
  const [location] = useLocation()
  const [first, ...more] = useLive().overview.proof_alarms ?? []
  if (first === undefined || location === '/proofs') return null
  return (
    <div className="banner fail" role="alert">
      <Mark tone="fail" />
      <span className="ellipsis">
        <b>The proof of {visibleText(first.who)} differs from what HQ has witnessed.</b>{' '}
        <span className="soft">
          {visibleText(first.detail)}
          {more.length > 0 ? `, and ${more.length} more` : ''}
        </span>
      </span>
      <span className="grow" />
      <Link href="/proofs" className="nowrap">
        Open Proofs
      </Link>
    </div>
  )
}

function MaintenanceBanner(): ReactElement | null {
  const {
    overview: { status },
    state,
    now,
  } = useLive()
  const { maintenance } = status ?? {}
  if (!maintenance?.on) return null
  const { file, unreadable } = maintenance
  const person = personsMaintenance(maintenance)
  const start = person?.since ?? file?.since
  const holder = file?.deploy_run_id ?? null
  const held = state.deploy !== null && state.deploy.run_id === holder
  return (
    <div className={css(`banner ${held && person === null ? 'info' : 'warn'}`)} role="status">
      <Icon name="maintenance" />
      <span
        className="ellipsis"
        {...(unreadable === null ? {} : { title: visibleText(unreadable) })}
      >
        <b>
          Maintenance on{start === undefined ? '' : ` for ${span(now - Date.parse(start))}`}
          {state.reach.stale ? ' when last seen' : ''}.
        </b>{' '}
        <span className="soft">{maintenanceText(maintenance, held)}</span>
      </span>
      <span className="grow" />
      {holder && (
        <Link href={`/runs/${holder}`} className="nowrap hide-narrow mono">
          {shortRun(holder)}
        </Link>
      )}
      <EndMaintenance />
    </div>
  )
}

function maintenanceText(maintenance: MaintenanceState, held: boolean): string {
  const { unreadable } = maintenance
  if (unreadable !== null)
    return `Its file cannot be read, so it counts as on: ${visibleText(unreadable)}`
  const person = personsMaintenance(maintenance)
  if (person !== null)
    return (
      `Put on by ${visibleText(personName(person))}: ${visibleText(person.reason ?? '')}. ` +
      (held
        ? 'This deploy stops before it switches or records anything.'
        : 'No deploy or rollback starts until it is ended.')
    )
  return held
    ? 'Held by this deploy; the background doctor is paused.'
    : 'Left on by a deploy that failed. It ends with the next green deploy.'
}

function ActionProblem(): ReactElement | null {
  const { problem, dismiss } = useActions()
  const remedy = useRemedy()
  if (!problem) return null
  const { errorClass, message, nextAutoFix } = toBridgeError(problem.error)
  return (
    <div className={css('banner banner-tall fail')} role="alert">
      <Mark tone="fail" />
      <span className="grow">
        <b>
          {problem.what}: {errorRule(errorClass).sentence}
        </b>{' '}
        <code className="mono tone-text">{errorClass}</code>{' '}
        <span className="soft">
          {visibleText(message)} {remedy(nextAutoFix)}
        </span>
      </span>
      <PushButton small kind="quiet" icon="close" label="Dismiss" onPress={dismiss}>
        Dismiss
      </PushButton>
    </div>
  )
}
