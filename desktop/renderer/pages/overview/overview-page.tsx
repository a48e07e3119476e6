import type { ReactElement } from 'react'
import { useLocation } from 'wouter'
import { titleOfRun, startOf } from '../../state/run.ts'
import { useLive } from '../../state/live.tsx'
import { DiagnosisCard } from '../../parts/diagnosis.tsx'
import { PinCard } from '../../parts/pin-card.tsx'
import { useLog } from '../../log/use-log.ts'
import { DeployHistory } from '../../parts/deploy-history.tsx'
import { Mark } from '../../ui/icons.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { count, timeOfDay } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { ActiveRunCard } from '../../parts/active-run-card.tsx'
import { Aside } from './aside.tsx'
import { GateLine } from './gate-line.tsx'
import { ResultsTable } from './results-table.tsx'
import { Stands } from './stands.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'
import { oneOrMany } from '#shared/plural'

const css = bindStyles(styles)

/** Where the newest change stands: the answer first, then its six gates, then what supports them. */
export function OverviewPage(): ReactElement {
  const { overview, state, now } = useLive()
  const active = state.deploy ?? overview.status?.active_runs[0] ?? null
  const deployLog = useLog('host', active?.run_id ?? null).log
  const shipLog = useLog('ship', state.ship?.runId ?? null).log
  return (
    <div className="page">
      <Head />
      <Unreachable />
      <GateLine deployLog={deployLog} shipLog={shipLog} />
      <div className="cols">
        <div className="column">
          <PinCard />
          {state.ship && (
            <ActiveRunCard
              source="ship"
              runId={state.ship.runId}
              title="Ship"
              action="ship"
              since={state.ship.since}
              log={shipLog}
            />
          )}
          {active && !state.reach.stale && (
            <ActiveRunCard
              source="host"
              runId={active.run_id}
              title={titleOfRun(active)}
              action={active.action}
              lane={active.lane}
              since={startOf(active)}
              log={deployLog}
            />
          )}
          <Stands />
          <ResultsTable />
          <DeployHistory
            runs={overview.status?.recent_deploys ?? []}
            typical={overview.usual_ms['deploy_and_verify']}
            now={now}
          />
        </div>
        <Aside />
      </div>
    </div>
  )
}

/** Why the selected host cannot be reached. */
function Unreachable(): ReactElement | null {
  const {
    overview: { connection },
    state: { reach },
  } = useLive()
  const [, go] = useLocation()
  const { url, as_of } = connection
  if (!reach.stale || reach.diagnosis === null || url === null) return null
  return (
    <DiagnosisCard
      host={{ name: reach.name, url }}
      diagnosis={reach.diagnosis}
      asOf={as_of}
      onWindow={(kind) => go(kind === 'agree' ? '/hosts' : '/settings')}
    />
  )
}

/** The headline, what waits for the host, and how many gates have passed. */
function Head(): ReactElement {
  const { overview, state, retry } = useLive()
  const { title, sub, done, errorClass } = state.headline
  return (
    <div className="head">
      <div className="grow">
        <h1 className={css(done ? 'done-mark' : '')}>
          {done && <Mark tone="pass" />}
          {title}
          {errorClass && (
            <>
              {' '}
              <code className="mono head-class">{errorClass}</code>
            </>
          )}
        </h1>
        <p className="sub" aria-live="polite">
          {visibleText(sub)}
        </p>
        {overview.upload.queued > 0 && (
          <p className="sub quiet">{overview.upload.detail ?? waiting(overview.upload.queued)}</p>
        )}
      </div>
      {state.reach.stale && state.reach.diagnosis === null && (
        <PushButton icon="retry" onPress={retry}>
          Try now
        </PushButton>
      )}
      <Tally />
    </div>
  )
}

const waiting = (bundles: number): string =>
  `${count(bundles, 'ship bundle')} ${oneOrMany(bundles, 'waits', 'wait')} for the host.`

function Tally(): ReactElement {
  const {
    overview: { connection },
    state: { change, reach },
  } = useLive()
  const passed = change.gates.filter(({ state }) => state === 'pass').length
  return (
    <div className={css('tally')}>
      <b>
        {passed}
        <span> of {change.gates.length}</span>
      </b>
      <p className="quiet">
        gates passed
        {reach.stale && connection.as_of ? `, as of ${timeOfDay(connection.as_of)}` : ''}
      </p>
    </div>
  )
}
