import { useQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { actionOf } from '#shared/actions'
import type { RunDetail } from '#shared/api'
import type { DeployResult, ResultDocument, Triage } from '#shared/result'
import { isEnded } from '#shared/run'
import { startOf } from '../../state/facts.ts'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { folderQuery } from '../../bridge/queries.ts'
import { Commit } from '../../ui/copy.tsx'
import { FileLink } from '../../ui/file-sheet.tsx'
import { ScriptedDemo } from '../../ui/status.tsx'
import { isDeployRun } from '../../parts/run-why-red.tsx'
import { bytes, dateAndTime, shortRun, took } from '../../text/format.ts'

interface Props {
  readonly run: RunDetail
  readonly result: ResultDocument | null
  readonly deploy: DeployResult | null
  readonly triage: Triage | null
}

/** What is known of a run besides its steps and its log. */
export function RunFacts({ run, result, deploy, triage }: Props): ReactElement {
  const {
    overview: { change, status },
  } = useLive()
  const target = deploy?.target_sha ?? result?.git_head ?? null
  return (
    <aside className="facts" aria-label="Facts">
      <h2>Facts</h2>
      <dl className="facts-list">
        {target && (
          <>
            <dt>Commit</dt>
            <dd>
              <Commit id={target} />
            </dd>
          </>
        )}
        {target && target === change.commit && change.scripted_review && (
          <>
            <dt>Review</dt>
            <dd>
              <ScriptedDemo />
            </dd>
          </>
        )}
        {deploy?.previous_sha && (
          <>
            <dt>Before</dt>
            <dd>
              <Commit id={deploy.previous_sha} />
            </dd>
          </>
        )}
        {status?.host.serving && run.lane === 'deploy' && (
          <>
            <dt>Serving</dt>
            <dd>
              <Commit id={status.host.serving} /> now
            </dd>
          </>
        )}
        {deploy && (
          <>
            <dt>Attempt</dt>
            <dd>
              {triage && triage.attempts > deploy.attempt
                ? `${deploy.attempt} of ${triage.attempts}`
                : deploy.attempt}
            </dd>
          </>
        )}
        {deploy && deploy.unanswered_ms !== null && (
          <>
            <dt>Unanswered</dt>
            <dd>{took(deploy.unanswered_ms)} during the switch</dd>
          </>
        )}
        {triage && (
          <>
            <dt>Retry</dt>
            <dd>
              {triage.retryable ? 'yes' : 'no'}, fingerprint{' '}
              <code className="mono">{triage.fingerprint.slice(0, 8)}</code>
            </dd>
          </>
        )}
        {run.deploy_run_id && run.deploy_run_id !== run.run_id && (
          <>
            <dt>Deploy</dt>
            <dd>
              <Link href={`/runs/${run.deploy_run_id}`} className="mono">
                {shortRun(run.deploy_run_id)}
              </Link>
            </dd>
          </>
        )}
        <dt>Actor</dt>
        <dd className="ellipsis" title={run.actor}>
          {run.actor}
        </dd>
        <dt>Started</dt>
        <dd>{dateAndTime(new Date(startOf(run)).toISOString())}</dd>
        <dt>Time limit</dt>
        <dd>{took(actionOf(run.action).timeout_seconds * 1000)}</dd>
        <dt>Lane</dt>
        <dd>{run.lane}</dd>
      </dl>
      {isEnded(run.status) && <Evidence run={run} />}
    </aside>
  )
}

function Evidence({ run }: { run: RunDetail }): ReactElement | null {
  const { bridge } = useHq()
  const path = isDeployRun(run) ? `deploy/${run.run_id}` : `runs/${run.run_id}`
  const files =
    useQuery(folderQuery(bridge, path)).data?.entries.filter(({ type }) => type === 'file') ?? []
  if (files.length === 0) return null
  return (
    <>
      <hr />
      <h2>Evidence</h2>
      <ul className="files">
        {files.map(({ name, size }) => (
          <li key={name}>
            <FileLink file={{ source: 'host', runId: run.run_id, path: `${path}/${name}` }}>
              {name}
            </FileLink>
            <span className="files-end">{size === null ? '' : bytes(size)}</span>
          </li>
        ))}
      </ul>
    </>
  )
}
