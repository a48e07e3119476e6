import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { CancelButton, CancelNote } from './cancel.tsx'
import { useLive } from '../state/live.tsx'
import { AnsiText } from '../ui/ansi-text.tsx'
import type { LogLine, LogState } from '../state/log-state.ts'
import { RunId } from '../ui/copy.tsx'
import { Mark } from '../ui/icons.tsx'
import { AgainstUsual, Timeline } from './timeline.tsx'
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

/** Where a run is while none of its steps runs. */
const betweenSteps = ({ steps }: LogState): string =>
  steps.length === 0
    ? 'running'
    : steps.every(({ status }) => status === 'waiting')
      ? 'starting'
      : steps.some(({ status }) => status === 'waiting')
        ? 'between two steps'
        : 'finishing'

/** The run that is active: where it is, measured against usual, and its last lines. */
export function ActiveRunCard({
  source,
  runId,
  title,
  action,
  lane,
  since,
  log,
}: Props): ReactElement {
  const {
    overview: { usual_ms, status },
    now,
  } = useLive()
  const at = log.steps.findIndex((step) => step.status === 'running')
  const step = log.steps[at]
  const tail = log.rows.filter((row): row is LogLine => row.kind === 'line').slice(-3)
  const serving = status?.host.serving
  const kept =
    source === 'ship'
      ? 'Nothing is pushed before the review approves.'
      : serving
        ? `If it fails before the switch, ${shortCommit(serving)} keeps serving.`
        : ''
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
        <div className={css('row card-step')}>
          <span className="strong">{step?.name ?? betweenSteps(log)}</span>
          {step && (
            <span className="soft nowrap">
              step {at + 1} of {log.steps.length}
            </span>
          )}
          <span className="grow" />
          <AgainstUsual since={since} usual={usual_ms[action]} now={now} />
        </div>
        {log.steps.length > 0 && (
          <Timeline steps={log.steps} action={action} usual={usual_ms} now={now} />
        )}
        <ol className={css('tail')} aria-label="Last lines">
          {tail.length === 0 ? (
            <li>
              <span />
              <span className="quiet">no output yet</span>
            </li>
          ) : (
            tail.map((line) => (
              <li key={line.seq}>
                <span>{line.number}</span>
                <span>
                  <AnsiText text={line.text} find="" />
                </span>
              </li>
            ))
          )}
        </ol>
      </div>
      <CancelNote source={source} runId={runId} />
      <div className={css('card-foot')}>
        <Link
          className="button button-small"
          href={source === 'ship' ? `/ship/${runId}` : `/runs/${runId}`}
        >
          Open run
        </Link>
        <span className="quiet small ellipsis hide-narrow">{kept}</span>
        <span className="grow" />
        <CancelButton
          small
          source={source}
          runId={runId}
          title={title}
          confirm={source === 'ship' ? 'Cancel the ship' : 'Cancel the run'}
        >
          <p>
            {source === 'ship'
              ? 'Its tests or review end with all they started. Nothing has been pushed unless it is in its last step.'
              : `Its whole process tree ends; what it had switched stays as it is${lane === 'deploy' ? '. Maintenance stays on until the next green deploy' : ''}.`}
          </p>
        </CancelButton>
      </div>
    </section>
  )
}
