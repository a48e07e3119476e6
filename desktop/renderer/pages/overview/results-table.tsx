import type { ReactElement, ReactNode } from 'react'
import { Link } from 'wouter'
import { remediations } from '#shared/errors/remediations'
import type { ChecksResult, ResultDocument } from '#shared/result'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { Commit } from '../../ui/copy.tsx'
import { FileLink } from '../../ui/file-sheet.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { count, took } from '../../text/format.ts'
import { ofOverall } from '../../text/status.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

interface Row {
  readonly name: string
  readonly result: ResultDocument
  readonly what: ReactNode
  readonly links: ReactNode
}

/** The last ship, deploy, DoD, doctor and guard: how each ended, on which commit, how old, and its proof. */
export function ResultsTable(): ReactElement {
  const { info } = useHq()
  const {
    overview: { status, ship },
    facts,
  } = useLive()
  const shipped = ship?.result ?? status?.last_ship.result ?? null
  const fromLaptop = info.operator && ship?.result?.run_id === shipped?.run_id
  const deploy = status?.last_deploy.result ?? null
  const dod = status?.last_dod.result ?? null
  const rows: (Row | null)[] = [
    shipped && {
      name: 'Ship',
      result: shipped,
      what: (
        <>
          {outcome(shipped, 'Tested, reviewed and pushed')}
          {shipped.scripted_review && (
            <>
              {' '}
              <ScriptedDemo />
            </>
          )}
        </>
      ),
      links: fromLaptop ? (
        <>
          <Link href={`/ship/${shipped.run_id}`}>
            {shipped.overall === 'PASS' ? 'Verdict' : 'Ship'}
          </Link>
          <FileLink file={{ source: 'ship', runId: shipped.run_id, path: 'ship_result.json' }}>
            Proof
          </FileLink>
        </>
      ) : (
        <FileLink
          file={{
            source: 'host',
            runId: shipped.run_id,
            path: `ship/${shipped.run_id}/ship_result.json`,
          }}
        >
          Proof
        </FileLink>
      ),
    },
    deploy && {
      name: 'Deploy',
      result: deploy,
      what: outcome(deploy, `Attempt ${deploy.attempt}, ${count(deploy.steps.length, 'step')}`),
      links: (
        <>
          <Link href={`/runs/${deploy.run_id}`}>Run</Link>
          <FileLink
            file={{
              source: 'host',
              runId: deploy.run_id,
              path: `deploy/${deploy.run_id}/deploy_result.json`,
            }}
          >
            Proof
          </FileLink>
        </>
      ),
    },
    dod && {
      name: 'DoD',
      result: dod,
      what: outcome(dod, dod.joined ? 'Doctor through hostd, joined' : 'Doctor through hostd'),
      links: (
        <FileLink
          file={{
            source: 'host',
            runId: dod.deploy_run_id,
            path: `deploy/${dod.deploy_run_id}/dod_result.json`,
          }}
        >
          Proof
        </FileLink>
      ),
    },
    checksRow('Doctor', status?.last_doctor ?? null),
    checksRow('Guard', status?.last_guard ?? null),
  ]
  const shown = rows.filter((row) => row !== null)
  return (
    <section aria-label="Last results">
      <div className="list-head">
        <h2>Last results</h2>
        <Link href="/proofs">All proofs</Link>
      </div>
      {shown.length === 0 ? (
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
            {shown.map(({ name, result, what, links }) => (
              <tr key={name} className={name === 'Ship' ? '' : 'of-host'}>
                <td className="strong">{name}</td>
                <td>
                  <Status shown={ofOverall(result.overall, result.error_class)} />
                </td>
                <td className={css('hide-tiny')}>
                  {result.git_head && <Commit id={result.git_head} />}
                </td>
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
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function outcome(result: ResultDocument, good: string): ReactNode {
  if (result.overall === 'PASS') return good
  const next = result.next_auto_fix === null ? '' : remediations[result.next_auto_fix].title
  return (
    <span title={next}>
      <code className="mono">{result.error_class}</code>
      {result.step_failed ? ` in ${result.step_failed}` : ''}
    </span>
  )
}

function checksRow(name: string, result: ChecksResult | null): Row | null {
  if (!result) return null
  const bad = result.checks.filter(({ status }) => status === 'FAIL')
  const good = `${count(result.checks.length, 'check')}${result.checks.some(({ status }) => status === 'WARN') ? `, ${count(result.checks.filter(({ status }) => status === 'WARN').length, 'warning')}` : ''}`
  return {
    name,
    result,
    what: bad.length > 0 ? bad.map((check) => check.name).join(', ') : good,
    links: <Link href={`/runs/${result.run_id}`}>Log</Link>,
  }
}
