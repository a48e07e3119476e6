import { useQuery } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { Link } from 'wouter'
import type { RunDetail } from '#shared/api'
import { actionOf } from '#shared/actions'
import { resultDocument } from '#shared/result'
import { checksIn, resultOf, type ActionResult } from '#shared/result-forms'
import { isEnded } from '#shared/run'
import { CancelButton, CancelNote } from '../../parts/cancel.tsx'
import { startOf, titleOfRun } from '../../state/run.ts'
import { useLive } from '../../state/live.tsx'
import type { LiveStep } from '../../state/log-state.ts'
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
import { Elapsed, Timeline } from '../../parts/timeline.tsx'
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
  const live = useLive()
  const view = useLog('host', runId)
  const { run, error } = useRun(runId)
  const [factsShown, setFactsShown] = useState(false)
  const [goTo, setGoTo] = useState<{ row: number } | null>(null)
  const result = resultDocument.safeParse(run?.result ?? null).data ?? view.log.result
  const typed = run === null ? null : resultOf(actionOf(run.action).result, run.result)
  const deploy = typed?.kind === 'deploy' ? typed.document : null
  const { named, triage } = useTriage(runId, run)
  const running = run !== null && !isEnded(run.status)
  const steps = stepsOf(view.log, result)
  const showError =
    named && view.log.rows.length > 0 ? () => setGoTo(rowOf(view.log.rows, named)) : null
  return (
    <div className="page-full">
      <div className={css(`full-head run-head ${run?.status === 'failed' ? 'run-head-red' : ''}`)}>
        <div className="crumb">
          <Link href="/runs">Runs</Link>
          <Icon name="right" small />
          <RunId id={runId} whole />
        </div>
        <Head
          run={run}
          target={deploy?.target_sha ?? result?.git_head ?? null}
          onFacts={() => setFactsShown(!factsShown)}
        />
        {running && <CancelNote source="host" runId={runId} />}
        {running && steps.length > 0 && (
          <Timeline
            steps={steps}
            action={run.action}
            typical={live.overview.usual_ms}
            now={live.now}
          />
        )}
      </div>
      {error && run === null && <ProblemNote error={error} />}
      {run && !running && run.status !== 'passed' && (
        <RunWhyRed run={run} result={result} triage={triage} onFirstError={showError} />
      )}
      <div className={css(`run-body ${factsShown ? 'with-facts' : ''}`)}>
        <StepsOrChecks
          run={run}
          typed={typed}
          steps={steps}
          attempt={view.log.attempt}
          onRow={(row) => setGoTo({ row })}
        />
        <LogPane view={view} ended={run === null ? null : !running} named={named} goTo={goTo} />
        {run && <RunFacts run={run} result={result} deploy={deploy} triage={triage} />}
      </div>
    </div>
  )
}

/** What the overview knows of a run stands here at once, and stays while the host is unreachable. */
function useRun(runId: string): { run: RunDetail | null; error: Error | null } {
  const { bridge } = useHq()
  const { status } = useLive().overview
  const { data, error } = useQuery(runQuery(bridge, runId))
  const listed =
    status?.active_runs.find(({ run_id }) => run_id === runId) ??
    status?.recent_deploys.find(({ run_id }) => run_id === runId)
  return { run: data?.run ?? (listed ? { ...listed, result: null } : null), error }
}

function Head({
  run,
  target,
  onFacts,
}: {
  run: RunDetail | null
  target: string | null
  onFacts: () => void
}): ReactElement {
  return (
    <div className="head">
      <h1>
        {run ? titleOfRun(run) : 'Run'}
        {target && run?.lane === 'deploy' && (
          <code className="mono head-class" title={target}>
            {shortCommit(target)}
          </code>
        )}
        {run && <Chip shown={ofRun(run.status, run.error_class)} />}
      </h1>
      <div className="head-actions">
        {run && <Duration run={run} />}
        {run && !isEnded(run.status) && <Cancel run={run} />}
        <span className="only-narrow">
          <PushButton icon="panel" onPress={onFacts}>
            Facts
          </PushButton>
        </span>
      </div>
    </div>
  )
}

function Duration({ run }: { run: RunDetail }): ReactElement | null {
  const {
    overview: { usual_ms },
    now,
  } = useLive()
  if (!isEnded(run.status))
    return <Elapsed since={startOf(run)} typical={usual_ms[run.action]} now={now} />
  if (!run.finished_at) return null
  return (
    <span className="quiet nowrap">
      {took(Date.parse(run.finished_at) - startOf(run))}, ended <Age at={run.finished_at} />
    </span>
  )
}

function Cancel({ run }: { run: RunDetail }): ReactElement {
  const { now } = useLive()
  return (
    <CancelButton source="host" runId={run.run_id} title={titleOfRun(run)} confirm="Cancel the run">
      <p>
        It has run for {clock(now - startOf(run))}. Its whole process tree ends; what it had
        switched stays as it is
        {run.lane === 'deploy' ? ', and maintenance stays on until the next green deploy' : ''}.
      </p>
    </CancelButton>
  )
}

/** The checks of a run whose result lists them; of any other run its steps. */
function StepsOrChecks({
  run,
  typed,
  steps,
  attempt,
  onRow,
}: {
  run: RunDetail | null
  typed: ActionResult | null
  steps: readonly LiveStep[]
  attempt: number | null
  onRow: (row: number) => void
}): ReactElement {
  const {
    overview: { usual_ms },
    now,
  } = useLive()
  const checks = checksIn(typed)
  if (checks.length > 0) return <CheckList checks={checks} />
  return (
    <StepList
      title={`Steps${attempt === null ? '' : `, attempt ${attempt}`}`}
      steps={steps}
      action={run?.action ?? ''}
      typical={usual_ms}
      now={now}
      running={run !== null && !isEnded(run.status)}
      onStep={(step) => {
        if (step.row !== null) onRow(step.row)
      }}
    />
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
