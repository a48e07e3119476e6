import { useQuery } from '@tanstack/react-query'
import type { ReactElement, ReactNode } from 'react'
import { Link } from 'wouter'
import { actionOf } from '#shared/actions'
import type { RunDetail } from '#shared/api'
import type { DeployResult, ResultDocument, Triage } from '#shared/result'
import { isEnded } from '#shared/run'
import { startOf } from '../../state/run.ts'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { folderQuery } from '../../bridge/queries.ts'
import { Commit } from '../../ui/copy.tsx'
import { FileLink } from '../../ui/file-link.tsx'
import { ScriptedDemo } from '../../ui/status.tsx'
import { useScriptedCommits } from '../../parts/scripted-commits.ts'
import { isDeployRun } from '../../parts/run-why-red.tsx'
import { bytes, dateAndTime, shortRun, took } from '../../text/format.ts'

interface Props {
  readonly run: RunDetail
  readonly result: ResultDocument | null
  readonly deploy: DeployResult | null
  readonly triage: Triage | null
}

/** What is known of a run besides its steps and its log. */
export function RunFacts(props: Props): ReactElement {
  const { run } = props
  return (
    <aside className="facts" aria-label="Facts">
      <h2>Facts</h2>
      <dl className="facts-list">
        <CommitFacts {...props} />
        <DeployFacts {...props} />
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

function Fact({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** Which commit the run is about, and which serves. */
function CommitFacts({ run, result, deploy }: Props): ReactElement {
  const {
    overview: { status },
  } = useLive()
  const scripted = useScriptedCommits()
  const target = deploy?.target_sha ?? result?.git_head ?? null
  const serving = run.lane === 'deploy' ? (status?.host.serving ?? null) : null
  return (
    <>
      {target && (
        <Fact name="Commit">
          <Commit id={target} />
        </Fact>
      )}
      {target && scripted.has(target) && (
        <Fact name="Review">
          <ScriptedDemo />
        </Fact>
      )}
      {deploy?.previous_sha && (
        <Fact name="Before">
          <Commit id={deploy.previous_sha} />
        </Fact>
      )}
      {serving && (
        <Fact name="Serving">
          <Commit id={serving} /> now
        </Fact>
      )}
    </>
  )
}

/** What only a deploy, or a run inside one, has. */
function DeployFacts({ run, deploy, triage }: Props): ReactElement {
  return (
    <>
      {deploy && (
        <Fact name="Attempt">
          {triage && triage.attempts > deploy.attempt
            ? `${deploy.attempt} of ${triage.attempts}`
            : deploy.attempt}
        </Fact>
      )}
      {deploy && deploy.unanswered_ms !== null && (
        <Fact name="Unanswered">{took(deploy.unanswered_ms)} during the switch</Fact>
      )}
      {triage && (
        <Fact name="Retry">
          {triage.retryable ? 'yes' : 'no'}, fingerprint{' '}
          <code className="mono">{triage.fingerprint.slice(0, 8)}</code>
        </Fact>
      )}
      {run.deploy_run_id && run.deploy_run_id !== run.run_id && (
        <Fact name="Deploy">
          <Link href={`/runs/${run.deploy_run_id}`} className="mono">
            {shortRun(run.deploy_run_id)}
          </Link>
        </Fact>
      )}
    </>
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
