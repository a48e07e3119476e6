import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { useLive } from '../../state/live.tsx'
import { deployWords, isDeploy, startOf, targetOf, titleOfRun } from '../../state/facts.ts'
import { PinCard } from '../../parts/pin-card.tsx'
import { useLog } from '../../log/use-log.ts'
import { Commit, RunId } from '../../ui/copy.tsx'
import { DeployHistory } from '../../parts/deploy-history.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { Chip, ScriptedDemo, Status } from '../../ui/status.tsx'
import { StepList } from '../../parts/step-list.tsx'
import { stepsOf } from '../../parts/step-sources.ts'
import { Age } from '../../ui/time.tsx'
import { shortCommit, span, took } from '../../text/format.ts'
import { ofOverall, ofRun } from '../../text/status.ts'
import { ActiveRunCard } from '../../parts/active-run-card.tsx'
import { LastRed } from './last-red.tsx'
import { RollBack } from './roll-back.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './deploy.module.css'

const css = bindStyles(styles)

/** What should serve and what does, the deploy that is on its way or was last, and how the ones before went. */
export function DeployPage(): ReactElement {
  const { overview, facts, now } = useLive()
  const { status, change, usual_ms } = overview
  const target = targetOf(overview)
  const serving = status?.host.serving ?? null
  const log = useLog('host', facts.deploy?.run_id ?? null).log
  const last = status?.last_deploy.result ?? null
  const ahead = target !== null && target !== serving
  const failed = last?.overall === 'FAIL' && last.target_sha === target
  const pinned = facts.pin?.holds === true
  const title = facts.deploy
    ? deployWords(facts.deploy, target)
    : serving === null
      ? 'Nothing is deployed yet'
      : ahead
        ? `${shortCommit(target)} ${pinned ? 'was rolled back' : failed ? 'did not get through' : 'waits to be deployed'}`
        : `${shortCommit(serving)} serves, nothing newer is pushed`
  const sub =
    facts.deploy && isDeploy(facts.deploy) && !facts.stale
      ? 'What serves keeps serving until the other version is built and answers.'
      : facts.deployBlocked
        ? `Deploy+Verify: ${facts.deployBlocked.whole}`
        : pinned
          ? `${serving ? shortCommit(serving) : 'Nothing'} serves instead.`
          : ahead && failed
            ? `${serving ? shortCommit(serving) : 'Nothing'} serves meanwhile. The next deploy fetches main afresh.`
            : ahead
              ? 'Deploy+Verify fetches, builds, switches and verifies it, each step with proof.'
              : 'Deploying again would verify the same commit afresh.'
  return (
    <div className="page">
      <div className="head">
        <div className="grow">
          <h1>{title}</h1>
          <p className="sub">{sub}</p>
        </div>
        <RollBack />
      </div>
      <dl className="versus">
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
            {serving ? <Commit id={serving} /> : 'nothing'}{' '}
            {status?.state && (
              <span className="quiet">
                green <Age at={status.state.last_deploy_timestamp} />
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>Maintenance</dt>
          <dd>
            {status === null ? (
              'not known'
            ) : status.maintenance.on ? (
              <>
                on
                {status.maintenance.file
                  ? `, ${span(now - Date.parse(status.maintenance.file.since))}`
                  : ''}
              </>
            ) : (
              'off'
            )}
          </dd>
        </div>
        <div>
          <dt>Usually</dt>
          <dd>
            {usual_ms['deploy_and_verify'] === undefined
              ? 'not known yet'
              : took(usual_ms['deploy_and_verify'])}
          </dd>
        </div>
      </dl>
      <PinCard />
      {facts.deploy && !facts.stale && (
        <div className={css('deploy-block')}>
          <ActiveRunCard
            source="host"
            runId={facts.deploy.run_id}
            title={titleOfRun(facts.deploy)}
            action={facts.deploy.action}
            lane={facts.deploy.lane}
            since={startOf(facts.deploy)}
            log={log}
          />
        </div>
      )}
      {!facts.deploy && last?.overall === 'FAIL' && <LastRed />}
      <div className="cols">
        <div className="column">
          <DeployHistory
            runs={status?.recent_deploys ?? []}
            usual={usual_ms['deploy_and_verify']}
            now={now}
          />
          <RecentList />
        </div>
        <section
          className={css(`card last-deploy ${facts.stale ? 'faded' : ''}`)}
          aria-label="Steps of the deploy"
        >
          {facts.deploy ? (
            <StepList
              title={facts.deploy.action === 'rollback' ? 'This rollback' : 'This deploy'}
              steps={log.steps}
              action="deploy_and_verify"
              usual={usual_ms}
              now={now}
              running
            />
          ) : last ? (
            <>
              <div className="card-head">
                <h2>Last deploy</h2>
                <RunId id={last.run_id} />
                <span className="grow" />
                <Chip shown={ofOverall(last.overall, last.error_class)} />
              </div>
              <StepList
                title={`Attempt ${last.attempt}, ${took(Date.parse(last.finished_at) - Date.parse(last.started_at))}`}
                steps={stepsOf({ ...log, steps: [] }, last)}
                action="deploy_and_verify"
                usual={usual_ms}
                now={now}
              />
            </>
          ) : (
            <div className="card-body">
              <Nothing title="No deploy has ended yet">Its steps will stand here.</Nothing>
            </div>
          )}
        </section>
      </div>
    </div>
  )
}

function RecentList(): ReactElement | null {
  const {
    overview: { status },
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
                <Status shown={ofRun(run.status, run.error_class)} />
              </td>
              <td className="soft">
                {run.action === 'rollback' && <>{titleOfRun(run)} </>}
                {run.error_class && (
                  <>
                    <code className="mono">{run.error_class}</code>
                    {run.step_failed ? ` in ${run.step_failed}` : ''}
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
