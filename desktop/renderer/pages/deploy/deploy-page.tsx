import { lengthOfRun } from '#shared/state/running'
import type { Serving } from '#shared/state/serving'
import { stepTitle } from '#shared/steps'
import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { useLive } from '../../state/live.tsx'
import type { LogState } from '../../state/log-state.ts'
import { startOf, titleOfRun } from '../../state/run.ts'
import { PinCard } from '../../parts/pin-card.tsx'
import { useLog } from '../../log/use-log.ts'
import { Commit, RunId } from '../../ui/copy.tsx'
import { DeployHistory } from '../../parts/deploy-history.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { Chip, ScriptedDemo, Status } from '../../ui/status.tsx'
import { StepList } from '../../parts/step-list.tsx'
import { stepsOf } from '../../parts/step-sources.ts'
import { Age } from '../../ui/time.tsx'
import { span, took } from '../../text/format.ts'
import { ofDeploy, ofOverall } from '../../text/status.ts'
import { ActiveRunCard } from '../../parts/active-run-card.tsx'
import { LastRed } from './last-red.tsx'
import { RollBack } from './roll-back.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './deploy.module.css'

const css = bindStyles(styles)

/** What should serve and what does, the deploy that runs or was last, and how the ones before went. */
export function DeployPage(): ReactElement {
  const live = useLive()
  const { overview, state, now } = live
  const { status, usual_ms } = overview
  const log = useLog('host', state.deploy?.run_id ?? null).log
  const last = state.lastDeploy
  const { title, sub } = state.deployHeadline
  return (
    <div className="page">
      <div className="head">
        <div className="grow">
          <h1>{title}</h1>
          <p className="sub">{sub}</p>
        </div>
        <RollBack />
      </div>
      <Versus />
      <PinCard button />
      {state.deploy && !state.reach.stale && (
        <div className={css('deploy-block')}>
          <ActiveRunCard
            source="host"
            runId={state.deploy.run_id}
            title={titleOfRun(state.deploy)}
            action={state.deploy.action}
            lane={state.deploy.lane}
            since={startOf(state.deploy)}
            log={log}
          />
        </div>
      )}
      {!state.deploy && last?.overall === 'FAIL' && <LastRed />}
      <div className="cols">
        <div className="column">
          <DeployHistory
            runs={status?.recent_deploys ?? []}
            typical={usual_ms['deploy_and_verify']}
            now={now}
          />
          <RecentList />
        </div>
        <section
          className={css(`card last-deploy ${state.reach.stale ? 'faded' : ''}`)}
          aria-label="Steps of the deploy"
        >
          <Steps log={log} />
        </section>
      </div>
    </div>
  )
}

/** Target against what serves, with the state of maintenance and the typical duration. */
function Versus(): ReactElement {
  const { overview, state } = useLive()
  const { change, target, serving } = state
  const { usual_ms } = overview
  const typical = usual_ms['deploy_and_verify']
  return (
    <dl className={css('versus')}>
      <div>
        <dt>Target</dt>
        <dd>
          {target ? <Commit id={target} /> : 'none'} <span className="quiet">origin/main</span>
          {change.scripted_review && target === change.commit && <ScriptedDemo />}
        </dd>
      </div>
      <div>
        <dt>Serving</dt>
        <dd>
          {serving.commit ? <Commit id={serving.commit} /> : servingWords[serving.standing]}{' '}
          {serving.commit && <ServingSince />}
        </dd>
      </div>
      <div>
        <dt>Maintenance</dt>
        <dd>
          <Maintenance />
        </dd>
      </div>
      <div>
        <dt>Usually</dt>
        <dd>{typical === undefined ? 'not known yet' : took(typical)}</dd>
      </div>
    </dl>
  )
}

function Maintenance(): ReactElement {
  const {
    overview: { status },
    now,
  } = useLive()
  if (status === null) return <>not known</>
  const { on, file } = status.maintenance
  if (!on) return <>off</>
  return (
    <>
      on
      {file ? `, ${span(now - Date.parse(file.since))}` : ''}
    </>
  )
}

/** Whether what serves became green, and when. */
function ServingSince(): ReactElement {
  const { serving } = useLive().state
  return (
    <span className="quiet">
      {servingWords[serving.standing]} {serving.since && <Age at={serving.since} />}
    </span>
  )
}

const servingWords: Record<Serving['standing'], string> = {
  green: 'green',
  unverified: 'not verified',
  broken: 'its proof is broken, green',
  unreadable: 'not readable',
  nothing: 'nothing',
  unknown: 'not known',
}

/** The steps of the deploy that runs, else of the last one. */
function Steps({ log }: { log: LogState }): ReactElement {
  const {
    overview: { usual_ms, status },
    state,
    now,
  } = useLive()
  const common = { action: 'deploy_and_verify', typical: usual_ms, now }
  const last = state.lastDeploy
  if (state.unreadableDeploy !== null && state.deploy === null)
    return (
      <div className="card-body">
        <Nothing title="The result of the last deploy cannot be read">
          Run {state.unreadableDeploy} left it. {state.headline.sub}
        </Nothing>
      </div>
    )
  if (state.deploy) {
    const title = state.deploy.action === 'rollback' ? 'This rollback' : 'This deploy'
    return <StepList title={title} steps={log.steps} {...common} running />
  }
  if (last === null)
    return (
      <div className="card-body">
        <Nothing title="No deploy has ended yet">The steps of a deploy are shown here.</Nothing>
      </div>
    )
  const length = lengthOfRun(last, status)
  return (
    <>
      <div className="card-head">
        <h2>Last deploy</h2>
        <RunId id={last.run_id} />
        <span className="grow" />
        <Chip shown={ofOverall(last.overall, last.error_class)} />
      </div>
      <StepList
        title={`Attempt ${last.attempt}, ${took(length)}`}
        steps={stepsOf({ ...log, steps: [] }, last)}
        {...common}
      />
    </>
  )
}

function RecentList(): ReactElement | null {
  const {
    overview: { status },
    state: { troubles },
  } = useLive()
  const runs = status?.recent_deploys.slice(0, 6) ?? []
  if (runs.length === 0) return null
  return (
    <section aria-label="Recent deploys">
      <div className="list-head">
        <h2>Recent</h2>
        <Link href="/runs">All runs</Link>
      </div>
      <table className="results">
        <tbody>
          {runs.map((run) => (
            <tr key={run.run_id}>
              <td>
                <Link href={`/runs/${run.run_id}`} className="mono">
                  {run.run_id.slice(-8)}
                </Link>
              </td>
              <td>
                <Status shown={ofDeploy(run, troubles)} />
              </td>
              <td className="soft">
                {run.action === 'rollback' && <>{titleOfRun(run)} </>}
                {run.error_class && (
                  <>
                    <code className="mono">{run.error_class}</code>
                    {run.step_failed ? ` in ${stepTitle(run.step_failed)}` : ''}
                  </>
                )}
              </td>
              <td className="quiet hide-narrow">
                {run.finished_at ? took(Date.parse(run.finished_at) - startOf(run)) : ''}
              </td>
              <td className="quiet">
                <Age at={run.requested_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
