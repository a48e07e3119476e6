import { useState, type ReactElement, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { errorRule } from '#shared/errors'
import { BridgeError, toBridgeError } from '../bridge/bridge-error.ts'
import { Confirm } from '../ui/dialog.tsx'
import { Icon, Mark } from '../ui/icons.tsx'
import { useRemedy } from '../ui/remedy.ts'
import { PushButton } from '../ui/push-button.tsx'
import { shortRun, span, timeOfDay } from '../text/format.ts'
import { visibleText } from '../text/visible-text.ts'
import { useActions } from '../state/actions.tsx'
import { titleOfRun } from '../state/run.ts'
import { useLive } from '../state/live.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './cancel.module.css'

const css = bindStyles(styles)

type Source = 'ship' | 'host'
interface Cancelling {
  readonly asked_at: string
  readonly error: Error | null
}

/**
 * Is the run being cancelled, as far as this page, HQ and the host know? What the host says counts before an answer
 * that got lost.
 */
function useCancelling(runId: string): Cancelling | null {
  const {
    overview: { cancels, status },
  } = useLive()
  const own = useActions().cancels.get(runId)
  if (own?.error === null) return own
  const seen = status?.active_runs.find(({ run_id }) => run_id === runId)?.cancel_asked_at
  if (seen !== undefined) return { asked_at: seen, error: null }
  const requested = cancels?.find(({ run_id }) => run_id === runId)
  if (requested)
    return {
      asked_at: requested.asked_at,
      error: requested.problem && new BridgeError(requested.problem),
    }
  // The console has no HQ that remembers: only this page knows.
  return cancels === undefined ? (own ?? null) : null
}

interface ButtonProps {
  readonly source: Source
  readonly runId: string
  readonly title: string
  readonly confirm: string
  readonly small?: boolean
  /** What ends and what stays. */
  readonly children: ReactNode
}

/** Ends a run, after a question. It can be pressed again only when the request failed. */
export function CancelButton({
  source,
  runId,
  title,
  confirm,
  small = false,
  children,
}: ButtonProps): ReactElement {
  const { cancel } = useActions()
  const [confirming, setConfirming] = useState(false)
  const cancelling = useCancelling(runId)
  return (
    <>
      {cancelling !== null && cancelling.error === null ? (
        <PushButton
          small={small}
          icon="stop"
          blocked={`A cancel was requested at ${timeOfDay(cancelling.asked_at)}`}
        >
          Cancelling…
        </PushButton>
      ) : (
        <PushButton small={small} kind="danger" icon="stop" onPress={() => setConfirming(true)}>
          {cancelling === null ? 'Cancel' : 'Cancel again'}
        </PushButton>
      )}
      <Confirm
        open={confirming}
        icon="stop"
        title={`Cancel ${title} ${shortRun(runId)}?`}
        confirm={confirm}
        keep="Keep it running"
        onConfirm={() => cancel(source, runId)}
        onClose={() => setConfirming(false)}
      >
        {children}
      </Confirm>
    </>
  )
}

/** Beside a run that is being cancelled: since when, or why that did not work. */
export function CancelNote({
  source,
  runId,
}: {
  source: Source
  runId: string
}): ReactElement | null {
  const { state, now } = useLive()
  const cancelling = useCancelling(runId)
  if (cancelling === null) return null
  if (cancelling.error !== null) return <CancelFailed source={source} cancelling={cancelling} />
  const silent = source === 'host' && state.reach.stale
  return (
    <p className={css('cancel-note soft')} role="status">
      <Mark tone={silent ? 'warn' : 'running'} small />
      <span>
        Cancelling since {timeOfDay(cancelling.asked_at)}
        {silent
          ? `. ${state.reach.name} ${silentText}`
          : `, ${span(now - Date.parse(cancelling.asked_at))} so far: ${endingText}`}
      </span>
    </p>
  )
}

const silentText =
  'does not answer meanwhile, so it is not known whether it has ended; HQ tries again by itself.'
const endingText = 'its processes get some seconds to end by themselves and are killed then.'

function CancelFailed({
  source,
  cancelling: { asked_at, error },
}: {
  source: Source
  cancelling: Cancelling
}): ReactElement {
  const { state } = useLive()
  const { errorClass, message, nextAutoFix } = toBridgeError(error)
  const remedy = useRemedy()
  return (
    <section className={css('note fail cancel-failed')} role="alert">
      <Mark tone="fail" />
      <div className="grow">
        <p>
          <b>Not cancelled, as far as is known: {errorRule(errorClass).sentence}</b>{' '}
          <code className="mono tone-text">{errorClass}</code>
        </p>
        <p className="soft">
          {visibleText(message)} Requested at {timeOfDay(asked_at)}.
        </p>
        <p className="soft">
          {remedyOf(source, errorClass, state.reach.name) ?? remedy(nextAutoFix)}
        </p>
      </div>
    </section>
  )
}

/** HQ does not repeat a cancel whose answer got lost: the request may have arrived. */
function remedyOf(source: Source, errorClass: string, host: string): string | null {
  if (source !== 'host' || errorClass !== 'hostd_unreachable') return null
  return (
    `The run goes on unless the request arrived. Once ${host} answers, this page shows which; ` +
    'press Cancel again if it still runs.'
  )
}

/** On every page: a cancel that failed, or whose end cannot be seen because the host is unreachable. */
export function CancelBanners(): ReactElement {
  const {
    overview: { cancels = [], status, ship },
    state,
  } = useLive()
  const own = useActions().cancels
  const ids = new Set([
    ...cancels.map(({ run_id }) => run_id),
    ...own.keys(),
    ...(status?.active_runs ?? [])
      .filter(({ cancel_asked_at }) => cancel_asked_at !== undefined)
      .map(({ run_id }) => run_id),
  ])
  const shipId = ship?.active === true ? ship.run_id : null
  return (
    <>
      {[...ids].map((id) => {
        const run = status?.active_runs.find(({ run_id }) => run_id === id)
        if (!run && id !== shipId) return null
        return (
          <CancelBanner
            key={id}
            source={run ? 'host' : 'ship'}
            runId={id}
            title={run ? titleOfRun(run) : 'Ship'}
            stale={run !== undefined && state.reach.stale}
          />
        )
      })}
    </>
  )
}

function CancelBanner({
  source,
  runId,
  title,
  stale,
}: {
  source: Source
  runId: string
  title: string
  stale: boolean
}): ReactElement | null {
  const { state } = useLive()
  const [location] = useLocation()
  const cancelling = useCancelling(runId)
  const path = source === 'ship' ? `/ship/${runId}` : `/runs/${runId}`
  // Its own page says it beside the run.
  if (cancelling === null || (cancelling.error === null && !stale) || location === path) return null
  const failed = cancelling.error === null ? null : toBridgeError(cancelling.error)
  return (
    <div className={`banner ${failed ? 'fail' : 'warn'}`} role={failed ? 'alert' : 'status'}>
      {failed ? <Mark tone="fail" /> : <Icon name="stop" />}
      <span className="ellipsis">
        <b>
          {failed
            ? `${title} was not cancelled, as far as is known.`
            : `${title} was being cancelled when ${state.reach.name} was last seen.`}
        </b>{' '}
        <span className="soft">
          Requested at {timeOfDay(cancelling.asked_at)}
          {failed ? `: ${visibleText(failed.message)}` : '.'}
        </span>
      </span>
      <span className="grow" />
      <Link href={path} className="nowrap">
        Open {source === 'ship' ? 'ship' : 'run'}
      </Link>
    </div>
  )
}
