import type { UnreadableDocument } from '#shared/api'
import type { ComponentProps, ReactElement, ReactNode } from 'react'
import { Link } from 'wouter'
import { stepTitle } from '#shared/steps'
import type {
  ChecksResult,
  DeployResult,
  DodResult,
  ResultDocument,
  ShipResult,
} from '#shared/result'
import { unreadableOf } from '#shared/state/gates'
import { troubleOf, type ProofTrouble } from '#shared/state/proof'
import { lengthOfRun } from '#shared/state/running'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { Commit } from '../../ui/copy.tsx'
import { FileLink } from '../../ui/file-link.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { count, took } from '../../text/format.ts'
import { ofOverall, ofTrouble } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

type ProofFile = ComponentProps<typeof FileLink>['file']

interface Row {
  readonly name: string
  readonly result: ResultDocument
  /** The run whose proof it is part of, when that is another. */
  readonly proofRun?: string
  /** What is wrong with its proof. */
  readonly trouble: ProofTrouble | null
  readonly what: ReactNode
  readonly links: ReactNode
}

type Plain = Omit<Row, 'trouble'>

/** The last ship, deploy, DoD, doctor and guard: how each ended, on which commit, how old, and its proof. */
export function ResultsTable(): ReactElement {
  const { state } = useLive()
  const rows = useRows()
  const { unreadableDeploy } = state
  const unreadable = useUnreadableChecks()
  return (
    <section aria-label="Last results">
      <div className="list-head">
        <h2>Last results</h2>
        <Link href="/proofs">All proofs</Link>
      </div>
      {rows.length === 0 ? (
        <Nothing title="No ship, deploy or check has ended yet">
          The first of them leaves its result here.
        </Nothing>
      ) : (
        <table className={`results ${state.reach.stale ? 'faded-host' : ''}`}>
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
            {unreadableDeploy !== null && <UnreadableRow runId={unreadableDeploy} />}
            {unreadable.map((found) => (
              <UnreadableCheck key={found.kind} found={found} />
            ))}
            {rows.map((row) => (
              <ResultRow key={row.name} row={row} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function ResultRow({ row: { name, result, trouble, what, links } }: { row: Row }): ReactElement {
  const { status } = useLive().overview
  return (
    <tr className={name === 'Ship' ? '' : 'of-host'}>
      <td className="strong">{name}</td>
      <td>
        <Status
          shown={
            trouble === null
              ? ofOverall(result.overall, result.error_class)
              : ofTrouble[trouble.state]
          }
        />
      </td>
      <td className={css('hide-tiny')}>{result.git_head && <Commit id={result.git_head} />}</td>
      <td className="soft">
        {trouble === null ? what : visibleText(trouble.file ?? trouble.detail)}
      </td>
      <td className="quiet hide-narrow">{took(lengthOfRun(result, status))}</td>
      <td className="quiet">
        <Age at={result.finished_at} />
      </td>
      <td>
        <span className={css('links')}>
          {trouble !== null && (
            <Link href={`/proofs/${trouble.place}/${trouble.kind}/${trouble.run_id}`}>Why</Link>
          )}
          {links}
        </span>
      </td>
    </tr>
  )
}

/** The newest deploy left a result that cannot be read: nobody knows how it ended. */
function UnreadableRow({ runId }: { runId: string }): ReactElement {
  const trouble = troubleOf(useLive().state.troubles, 'deploy', runId)
  return (
    <tr className="of-host">
      <td className="strong">Deploy</td>
      <td>
        <Status shown={ofTrouble.unreadable} />
      </td>
      <td className={css('hide-tiny')} />
      <td className="soft">{visibleText(trouble?.detail ?? '')}</td>
      <td className="quiet hide-narrow" />
      <td className="quiet" />
      <td>
        <span className={css('links')}>
          <Link href={`/runs/${runId}`}>Run</Link>
        </span>
      </td>
    </tr>
  )
}

/** The newest doctor and DoD whose result cannot be read. */
function useUnreadableChecks(): UnreadableDocument[] {
  const { status } = useLive().overview
  return [unreadableOf('dod', status), unreadableOf('doctor', status)].filter(
    (found) => found !== null,
  )
}

function UnreadableCheck({ found }: { found: UnreadableDocument }): ReactElement {
  const { kind, run_id, file, detail } = found
  return (
    <tr className="of-host">
      <td className="strong">{kind === 'dod' ? 'DoD' : 'Doctor'}</td>
      <td>
        <Status shown={ofTrouble.unreadable} />
      </td>
      <td className={css('hide-tiny')} />
      <td className="soft">{visibleText(`${file}: ${detail}`)}</td>
      <td className="quiet hide-narrow" />
      <td className="quiet" />
      <td>
        <span className={css('links')}>
          {run_id !== null && <Link href={`/runs/${run_id}`}>Run</Link>}
        </span>
      </td>
    </tr>
  )
}

function useRows(): Row[] {
  const { info } = useHq()
  const {
    overview: { status, ship },
    state: { troubles, lastDeploy, unreadableDeploy },
  } = useLive()
  const shipped = ship?.result ?? status?.last_ship.result ?? null
  const fromLaptop = info.operator && ship?.result?.run_id === shipped?.run_id
  const withTrouble = (kind: ProofTrouble['kind'], row: Plain | null): Row | null =>
    row && { ...row, trouble: troubleOf(troubles, kind, row.proofRun ?? row.result.run_id) }
  const dod = status?.last_dod.result ?? null
  return [
    withTrouble('ship', shipRow(shipped, fromLaptop)),
    withTrouble('deploy', deployRow(lastDeploy)),
    // A DoD is part of the deploy whose result cannot be read.
    dod?.deploy_run_id === unreadableDeploy || unreadableOf('dod', status) !== null
      ? null
      : withTrouble('deploy', dodRow(dod)),
    unreadableOf('doctor', status) === null
      ? withTrouble('deploy', checksRow('Doctor', status?.last_doctor ?? null))
      : null,
    withTrouble('deploy', checksRow('Guard', status?.last_guard ?? null)),
  ].filter((row) => row !== null)
}

/** The proof of a run: a file of its folder on the host, or of the ship's folder on this laptop. */
const ProofLink = ({ file }: { file: ProofFile }): ReactElement => (
  <FileLink file={file}>Proof</FileLink>
)

function shipRow(result: ShipResult | null, fromLaptop: boolean): Plain | null {
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

function deployRow(result: DeployResult | null): Plain | null {
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

function dodRow(result: DodResult | null): Plain | null {
  if (!result) return null
  const { deploy_run_id: runId, joined } = result
  return {
    name: 'DoD',
    result,
    proofRun: runId,
    what: outcome(result, joined ? 'Doctor through hostd, joined' : 'Doctor through hostd'),
    links: <ProofLink file={{ source: 'host', runId, path: `deploy/${runId}/dod_result.json` }} />,
  }
}

function outcome(result: ResultDocument, good: string): ReactNode {
  if (result.overall === 'PASS') return good
  return (
    <span>
      <code className="mono">{result.error_class}</code>
      {result.step_failed ? ` in ${stepTitle(result.step_failed)}` : ''}
    </span>
  )
}

function checksRow(name: string, result: ChecksResult | null): Plain | null {
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
