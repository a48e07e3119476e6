import type { ReactElement } from 'react'
import { Link } from 'wouter'
import type { ProofRow } from '#shared/bridge'
import { evidenceHref, type EvidencePlace } from '#shared/evidence'
import type { ProofProblem } from '#shared/proof'
import { useHq } from '../../bridge/context.ts'
import { RunId } from '../../ui/copy.tsx'
import { ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { count, dateAndTime, startOfRun } from '../../text/format.ts'
import { bundleTitles, ofProof, problemText } from '../../text/proof.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './proofs.module.css'

const css = bindStyles(styles)

type Found = NonNullable<ProofRow['laptop']>
type Side = EvidencePlace['side']

/**
 * One bundle: what laptop and host find, why it is not verified, and when it was witnessed.
 * @param scripted its review was answered by a script
 */
export function BundleRow({
  row,
  scripted,
  unreachable,
}: {
  row: ProofRow
  scripted: boolean
  unreachable: boolean
}): ReactElement {
  const { info } = useHq()
  const { kind, run_id: id, running, laptop, host } = row
  return (
    <tr>
      <td className="strong">
        <Title row={row} /> {scripted && <ScriptedDemo />}
      </td>
      <td>
        <RunId id={id} />
      </td>
      {info.operator && (
        <td>
          <Finding
            found={laptop}
            running={running && kind === 'ship'}
            none={kind === 'ship' ? 'not here' : ''}
          />
        </td>
      )}
      <td className={unreachable ? 'faded' : ''}>
        <Finding
          found={host}
          running={running && kind !== 'ship'}
          none={unreachable ? 'not known' : 'not there'}
        />
      </td>
      <td className="wrap">
        <div className={css('proof-why')}>
          <Why row={row} />
          {laptop !== null && <Files side="laptop" row={row} />}
          {host !== null && !unreachable && <Files side="host" row={row} />}
        </div>
      </td>
      {info.operator && (
        <td className="quiet hide-narrow">
          <Witnessed row={row} />
        </td>
      )}
      <td className="quiet">
        <Age at={new Date(startOfRun(id)).toISOString()} />
      </td>
    </tr>
  )
}

/** What the bundle is of, with the way to its page where there is one. */
function Title({ row: { kind, run_id, laptop } }: { row: ProofRow }): ReactElement {
  const { info } = useHq()
  const title = bundleTitles[kind]
  if (kind === 'ship' && !(info.operator && laptop !== null)) return <>{title}</>
  return (
    <Link href={kind === 'ship' ? `/ship/${run_id}` : `/runs/${run_id}`} className="plain-link">
      {title}
    </Link>
  )
}

/** When the witness saw the bundle, and whether it is still the same one. */
function Witnessed({ row: { witnessed, running } }: { row: ProofRow }): ReactElement {
  if (witnessed === null) return <>{running ? '' : 'not yet'}</>
  const { same, counter, seen_at } = witnessed
  return (
    <span
      className={same === false ? 'tone-text fail' : ''}
      title={`Number ${counter} of its chain, first seen ${dateAndTime(seen_at)}`}
    >
      {same === false ? 'another one, ' : ''}
      <Age at={seen_at} />
    </span>
  )
}

function Finding({
  found,
  running,
  none,
}: {
  found: Found | null
  running: boolean
  none: string
}): ReactElement {
  if (running) return <Status shown={{ tone: 'running', word: 'Running' }} />
  if (found === null) return <span className="quiet">{none}</span>
  const { shown, title } = ofProof[found.state]
  return (
    <span title={title}>
      <Status shown={shown} />
    </span>
  )
}

function Files({ side, row: { kind, run_id } }: { side: Side; row: ProofRow }): ReactElement {
  return (
    <Link href={evidenceHref({ side, folder: kind, run_id })} className={css('small proof-files')}>
      {side === 'host' ? 'Files on the host' : 'Files on this laptop'}
    </Link>
  )
}

/** The first problem in words, the rest behind it; of a sound bundle how much it holds. */
function Why({ row: { kind, laptop, host, running, run_id } }: { row: ProofRow }): ReactElement {
  if (running) return <span className="quiet">It is sealed when the run ends.</span>
  const problems: { side: Side; problem: ProofProblem }[] = [
    ...(laptop?.problems ?? []).map((problem) => ({ side: 'laptop' as const, problem })),
    ...(host?.problems ?? []).map((problem) => ({ side: 'host' as const, problem })),
  ]
  const [first] = problems
  const sound = laptop ?? host
  if (first === undefined)
    return (
      <span className="quiet">
        {sound === null
          ? 'Seen before; HQ reads it again once the host answers.'
          : `${count(sound.files, 'file')}${sound.pruned > 0 ? `, ${sound.pruned} deleted by retention` : ''}`}
      </span>
    )
  return (
    <span>
      {problemText[first.problem.code]}
      {first.problem.file === null ? (
        ''
      ) : (
        <>
          : <code className="mono">{visibleText(first.problem.file)}</code>
        </>
      )}{' '}
      <code className="mono quiet">{first.problem.code}</code>{' '}
      <Link href={evidenceHref({ side: first.side, folder: kind, run_id })} className="small">
        {problems.length > 1 ? `Why, all ${problems.length}` : 'Why'}
      </Link>
    </span>
  )
}
