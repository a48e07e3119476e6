import type { ReactElement } from 'react'
import { stepTitle } from '#shared/steps'
import { Link } from 'wouter'
import { CancelButton, CancelNote } from './cancel.tsx'
import { useLive } from '../state/live.tsx'
import { AnsiText } from '../ui/ansi-text.tsx'
import type { LogLine, LogState } from '../state/log-state.ts'
import { RunId } from '../ui/copy.tsx'
import { Mark } from '../ui/icons.tsx'
import { Elapsed, Timeline } from './timeline.tsx'
import { shortCommit } from '../text/format.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './active-run-card.module.css'

const css = bindStyles(styles)

interface Props {
  readonly source: 'ship' | 'host'
  readonly runId: string
  readonly title: string
  readonly action: string
  readonly lane?: string
  readonly since: number
  readonly log: LogState
}

/** The run that is active: where it is, how long it typically takes, and its last lines. */
export function ActiveRunCard(props: Props): ReactElement {
  const { source, runId, title, log } = props
  return (
    <section className="card" aria-label="Active run">
      <div className="card-head">
        <Mark tone="running" />
        <h2>{title}</h2>
        <RunId id={runId} whole />
        <span className="grow" />
        {log.attempt !== null && source === 'host' && (
          <span className="quiet nowrap">attempt {log.attempt}</span>
        )}
      </div>
      <div className="card-body">
        <Progress {...props} />
        <LastLines log={log} />
      </div>
      <CancelNote source={source} runId={runId} />
      <Foot {...props} />
    </section>
  )
}

function Progress({ log, action, since }: Props): ReactElement {
  const {
    overview: { usual_ms },
    now,
  } = useLive()
  const at = log.steps.findIndex((step) => step.status === 'running')
  const step = log.steps[at]
  return (
    <>
      <div className={css('row card-step')}>
        <span className="strong">{step ? stepTitle(step.name) : betweenSteps(log)}</span>
        {step && (
          <span className="soft nowrap">
            step {at + 1} of {log.steps.length}
          </span>
        )}
        <span className="grow" />
        <Elapsed since={since} typical={usual_ms[action]} now={now} />
      </div>
      {log.steps.length > 0 && (
        <Timeline steps={log.steps} action={action} typical={usual_ms} now={now} />
      )}
    </>
  )
}

/** Where a run is while none of its steps runs. */
function betweenSteps({ steps }: LogState): string {
  if (steps.length === 0) return 'running'
  if (steps.every(({ status }) => status === 'waiting')) return 'starting'
  return steps.some(({ status }) => status === 'waiting') ? 'between two steps' : 'finishing'
}

function LastLines({ log }: { log: LogState }): ReactElement {
  const lines = log.rows.filter((row): row is LogLine => row.kind === 'line').slice(-3)
  return (
    <ol className={css('tail')} aria-label="Last lines">
      {lines.length === 0 ? (
        <li>
          <span />
          <span className="quiet">no output yet</span>
        </li>
      ) : (
        lines.map((line) => (
          <li key={line.seq}>
            <span>{line.number}</span>
            <span>
              <AnsiText text={line.text} find="" />
            </span>
          </li>
        ))
      )}
    </ol>
  )
}

function Foot({ source, runId, title, lane }: Props): ReactElement {
  const serving = useLive().overview.status?.host.serving ?? null
  return (
    <div className={css('card-foot')}>
      <Link
        className="button button-small"
        href={source === 'ship' ? `/ship/${runId}` : `/runs/${runId}`}
      >
        Open run
      </Link>
      <span className="quiet small ellipsis hide-narrow">{keptNote(source, serving)}</span>
      <span className="grow" />
      <CancelButton
        small
        source={source}
        runId={runId}
        title={title}
        confirm={source === 'ship' ? 'Cancel the ship' : 'Cancel the run'}
      >
        <p>{source === 'ship' ? endsShip : endsRun(lane)}</p>
      </CancelButton>
    </div>
  )
}

/** What a failure would leave as it is. */
function keptNote(source: Props['source'], serving: string | null): string {
  if (source === 'ship') return 'Nothing is pushed before the review approves.'
  return serving ? `If it fails before the switch, ${shortCommit(serving)} keeps serving.` : ''
}

const endsShip =
  'Its tests or review end with all they started. ' +
  'Nothing has been pushed unless it is in its last step.'

function endsRun(lane: string | undefined): string {
  const ends = 'Its whole process tree ends; what it had switched stays as it is.'
  return lane === 'deploy' ? `${ends} Maintenance stays on until the next green deploy.` : ends
}
