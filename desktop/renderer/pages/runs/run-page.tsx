import { useQuery } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { Link } from 'wouter'
import { connectorsResult } from '#shared/connectors'
import { checksResult, deployResult, resultDocument } from '#shared/result'
import { isEnded } from '#shared/run'
import { CancelButton, CancelNote } from '../../parts/cancel.tsx'
import { startOf, titleOfRun } from '../../state/facts.ts'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { runQuery } from '../../bridge/queries.ts'
import { LogPane } from '../../log/log-pane.tsx'
import { useLog } from '../../log/use-log.ts'
import { RunId } from '../../ui/copy.tsx'
import { Icon } from '../../ui/icons.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Chip } from '../../ui/status.tsx'
import { StepList } from '../../parts/step-list.tsx'
import { stepsOf } from '../../parts/step-sources.ts'
import { Age } from '../../ui/time.tsx'
import { AgainstUsual, Timeline } from '../../parts/timeline.tsx'
import { clock, shortCommit, took } from '../../text/format.ts'
import { ofRun } from '../../text/status.ts'
import { CheckList } from './check-list.tsx'
import { RunFacts } from './run-facts.tsx'
import { RunWhyRed, useTriage } from '../../parts/run-why-red.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './runs.module.css'

const css = bindStyles(styles)

/** One run of the host: steps left, log in the middle, facts right; why it is red above them. */
export function RunPage({ runId }: { runId: string }): ReactElement {
  const { bridge } = useHq()
  const {
    overview: { usual_ms, status },
    now,
  } = useLive()
  const { data, error } = useQuery(runQuery(bridge, runId))
  const view = useLog('host', runId)
  const [factsShown, setFactsShown] = useState(false)
  const [goTo, setGoTo] = useState<{ row: number } | null>(null)
  // What the overview knows of it stands here at once, and while the host is away.
  const listed =
    status?.active_runs.find(({ run_id }) => run_id === runId) ??
    status?.recent_deploys.find(({ run_id }) => run_id === runId)
  const run = data?.run ?? (listed ? { ...listed, result: null } : null)
  const result = resultDocument.safeParse(run?.result ?? null).data ?? view.log.result
  const { named, triage } = useTriage(runId, run)
  const running = run !== null && !isEnded(run.status)
  const steps = stepsOf(view.log, result)
  const checks =
    checksResult.safeParse(run?.result ?? null).data?.checks ??
    connectorsResult.safeParse(run?.result ?? null).data?.checks ??
    []
  const deploy = deployResult.safeParse(run?.result ?? null).data ?? null
  const action = run?.action ?? ''
  const title = run ? titleOfRun(run) : 'Run'
  const target = run?.lane === 'deploy' ? (deploy?.target_sha ?? result?.git_head ?? null) : null
  return (
    <div className="page-full">
      <div className={css(`run-head ${run?.status === 'failed' ? 'run-head-red' : ''}`)}>
        <div className={css('crumb')}>
          <Link href="/runs">Runs</Link>
          <Icon name="right" small />
          <RunId id={runId} whole />
        </div>
        <div className="head">
          <h1>
            {title}
            {target && (
              <code className="mono head-class" title={target}>
                {shortCommit(target)}
              </code>
            )}
            {run && <Chip shown={ofRun(run.status, run.error_class)} />}
          </h1>
          <div className="head-actions">
            {run &&
              (running ? (
                <AgainstUsual since={startOf(run)} usual={usual_ms[run.action]} now={now} />
              ) : (
                run.finished_at && (
                  <span className="quiet nowrap">
                    {took(Date.parse(run.finished_at) - startOf(run))}, ended{' '}
                    <Age at={run.finished_at} />
                  </span>
                )
              ))}
            {running && (
              <CancelButton source="host" runId={runId} title={title} confirm="Cancel the run">
                <p>
                  It has run for {clock(now - startOf(run))}. Its whole process tree ends; what it
                  had switched stays as it is
                  {run.lane === 'deploy'
                    ? ', and maintenance stays on until the next green deploy'
                    : ''}
                  .
                </p>
              </CancelButton>
            )}
            <span className="only-narrow">
              <PushButton icon="panel" onPress={() => setFactsShown(!factsShown)}>
                Facts
              </PushButton>
            </span>
          </div>
        </div>
        {running && <CancelNote source="host" runId={runId} />}
        {running && steps.length > 0 && (
          <Timeline steps={steps} action={action} usual={usual_ms} now={now} />
        )}
      </div>
      {error && run === null && <ProblemNote error={error} />}
      {run && !running && run.status !== 'passed' && (
        <RunWhyRed
          run={run}
          result={result}
          triage={triage}
          onFirstError={
            named && view.log.rows.length > 0 ? () => setGoTo(rowOf(view.log.rows, named)) : null
          }
        />
      )}
      <div className={css(`run-body ${factsShown ? 'with-facts' : ''}`)}>
        {checks.length > 0 ? (
          <CheckList checks={checks} />
        ) : (
          <StepList
            title={`Steps${view.log.attempt === null ? '' : `, attempt ${view.log.attempt}`}`}
            steps={steps}
            action={action}
            usual={usual_ms}
            now={now}
            running={running}
            onStep={(step) => {
              if (step.row !== null) setGoTo({ row: step.row })
            }}
          />
        )}
        <LogPane view={view} named={named} goTo={goTo} />
        {run && <RunFacts run={run} result={result} deploy={deploy} triage={triage} />}
      </div>
    </div>
  )
}

function rowOf(
  rows: readonly { kind: string; step?: string | null }[],
  named: { step: string; line: number },
): { row: number } | null {
  let seen = 0
  const row = rows.findIndex(
    (each) => each.kind === 'line' && each.step === named.step && (seen += 1) === named.line,
  )
  return row < 0 ? null : { row }
}
