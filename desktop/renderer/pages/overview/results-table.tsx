import type { ComponentProps, ReactElement, ReactNode } from 'react'
import { Link } from 'wouter'
import { remediations } from '#shared/errors/remediations'
import { stepTitle } from '#shared/steps'
import type {
  ChecksResult,
  DeployResult,
  DodResult,
  ResultDocument,
  ShipResult,
} from '#shared/result'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { Commit } from '../../ui/copy.tsx'
import { FileLink } from '../../ui/file-link.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { count, took } from '../../text/format.ts'
import { ofOverall } from '../../text/status.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

type ProofFile = ComponentProps<typeof FileLink>['file']

interface Row {
  readonly name: string
  readonly result: ResultDocument
  readonly what: ReactNode
  readonly links: ReactNode
}

/** The last ship, deploy, DoD, doctor and guard: how each ended, on which commit, how old, and its proof. */
export function ResultsTable(): ReactElement {
  const { facts } = useLive()
  const rows = useRows()
  return (
    <section aria-label="Last results">
      <div className="list-head">
        <h2>Last results</h2>
        <Link href="/proofs">All proofs</Link>
      </div>
      {rows.length === 0 ? (
        <Nothing title="No run has ended yet">
          The first ship and deploy leave their results here.
        </Nothing>
      ) : (
        <table className={`results ${facts.stale ? 'faded-host' : ''}`}>
          <thead className="unseen">
            <tr>
              <th>What</th>
              <th>State</th>
              <th>Commit</th>
              <th>Result</th>
              <th>Took</th>
              <th>Age</th>
              <th>Proof</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <ResultRow key={row.name} row={row} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function ResultRow({ row: { name, result, what, links } }: { row: Row }): ReactElement {
  return (
    <tr className={name === 'Ship' ? '' : 'of-host'}>
      <td className="strong">{name}</td>
      <td>
        <Status shown={ofOverall(result.overall, result.error_class)} />
      </td>
      <td className={css('hide-tiny')}>{result.git_head && <Commit id={result.git_head} />}</td>
      <td className="soft">{what}</td>
      <td className="quiet hide-narrow">
        {took(Date.parse(result.finished_at) - Date.parse(result.started_at))}
      </td>
      <td className="quiet">
        <Age at={result.finished_at} />
      </td>
      <td>
        <span className={css('links')}>{links}</span>
      </td>
    </tr>
  )
}

function useRows(): Row[] {
  const { info } = useHq()
  const {
    overview: { status, ship },
  } = useLive()
  const shipped = ship?.result ?? status?.last_ship.result ?? null
  const fromLaptop = info.operator && ship?.result?.run_id === shipped?.run_id
  return [
    shipRow(shipped, fromLaptop),
    deployRow(status?.last_deploy.result ?? null),
    dodRow(status?.last_dod.result ?? null),
    checksRow('Doctor', status?.last_doctor ?? null),
    checksRow('Guard', status?.last_guard ?? null),
  ].filter((row) => row !== null)
}

/** The proof of a run: a file of its folder on the host, or of the ship's folder on this laptop. */
const ProofLink = ({ file }: { file: ProofFile }): ReactElement => (
  <FileLink file={file}>Proof</FileLink>
)

function shipRow(result: ShipResult | null, fromLaptop: boolean): Row | null {
  if (!result) return null
  const { run_id: runId, overall, scripted_review } = result
  const onHost: ProofFile = { source: 'host', runId, path: `ship/${runId}/ship_result.json` }
  return {
    name: 'Ship',
    result,
    what: (
      <>
        {outcome(result, 'Tested, reviewed and pushed')}
        {scripted_review && (
          <>
            {' '}
            <ScriptedDemo />
          </>
        )}
      </>
    ),
    links: fromLaptop ? (
      <>
        <Link href={`/ship/${runId}`}>{overall === 'PASS' ? 'Verdict' : 'Ship'}</Link>
        <ProofLink file={{ source: 'ship', runId, path: 'ship_result.json' }} />
      </>
    ) : (
      <ProofLink file={onHost} />
    ),
  }
}

function deployRow(result: DeployResult | null): Row | null {
  if (!result) return null
  const { run_id: runId, attempt, steps } = result
  return {
    name: 'Deploy',
    result,
    what: outcome(result, `Attempt ${attempt}, ${count(steps.length, 'step')}`),
    links: (
      <>
        <Link href={`/runs/${runId}`}>Run</Link>
        <ProofLink file={{ source: 'host', runId, path: `deploy/${runId}/deploy_result.json` }} />
      </>
    ),
  }
}

function dodRow(result: DodResult | null): Row | null {
  if (!result) return null
  const { deploy_run_id: runId, joined } = result
  return {
    name: 'DoD',
    result,
    what: outcome(result, joined ? 'Doctor through hostd, joined' : 'Doctor through hostd'),
    links: <ProofLink file={{ source: 'host', runId, path: `deploy/${runId}/dod_result.json` }} />,
  }
}

function outcome(result: ResultDocument, good: string): ReactNode {
  if (result.overall === 'PASS') return good
  const next = result.next_auto_fix === null ? '' : remediations[result.next_auto_fix].title
  return (
    <span title={next}>
      <code className="mono">{result.error_class}</code>
      {result.step_failed ? ` in ${stepTitle(result.step_failed)}` : ''}
    </span>
  )
}

function checksRow(name: string, result: ChecksResult | null): Row | null {
  if (!result) return null
  const bad = result.checks.filter(({ status }) => status === 'FAIL')
  const warnings = result.checks.filter(({ status }) => status === 'WARN').length
  const checks = count(result.checks.length, 'check')
  const good = warnings === 0 ? checks : `${checks}, ${count(warnings, 'warning')}`
  return {
    name,
    result,
    what: bad.length > 0 ? bad.map((check) => check.name).join(', ') : good,
    links: <Link href={`/runs/${result.run_id}`}>Log</Link>,
  }
}
