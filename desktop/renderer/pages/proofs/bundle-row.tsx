import { useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { Link } from 'wouter'
import type { ProofRow } from '#shared/bridge'
import type { ProofProblem } from '#shared/proof'
import { useHq } from '../../bridge/context.ts'
import { RunId } from '../../ui/copy.tsx'
import { Sheet } from '../../ui/dialog.tsx'
import { ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { count, dateAndTime, startOfRun } from '../../text/format.ts'
import { bundleTitles, ofProof, problemText } from '../../text/proof.ts'
import { visibleText } from '../../text/visible-text.ts'
import { FilesSheet } from './files-sheet.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './proofs.module.css'

const css = bindStyles(styles)

type Found = NonNullable<ProofRow['laptop']>

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
  const [files, setFiles] = useState(false)
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
          <Side
            found={laptop}
            running={running && kind === 'ship'}
            none={kind === 'ship' ? 'not here' : ''}
          />
        </td>
      )}
      <td className={unreachable ? 'faded' : ''}>
        <Side
          found={host}
          running={running && kind !== 'ship'}
          none={unreachable ? 'not known' : 'not there'}
        />
      </td>
      <td className="wrap">
        <div className={css('proof-why')}>
          <Why row={row} />
          {host !== null && !unreachable && (
            <Button className={css('link-button small proof-files')} onPress={() => setFiles(true)}>
              Files on the host
            </Button>
          )}
          {files && (
            <FilesSheet folder={`${kind}/${id}`} runId={id} onClose={() => setFiles(false)} />
          )}
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

function Side({
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

/** The first problem in words, the rest behind it; of a sound bundle how much it holds. */
function Why({ row: { laptop, host, running, run_id } }: { row: ProofRow }): ReactElement {
  const [open, setOpen] = useState(false)
  if (running) return <span className="quiet">It is sealed when the run ends.</span>
  const problems: { side: string; problem: ProofProblem }[] = [
    ...(laptop?.problems ?? []).map((problem) => ({ side: 'laptop', problem })),
    ...(host?.problems ?? []).map((problem) => ({ side: 'host', problem })),
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
      {(problems.length > 1 || first.problem.detail !== '') && (
        <Button className="link-button small" onPress={() => setOpen(true)}>
          {problems.length > 1 ? `All ${problems.length}` : 'Why'}
        </Button>
      )}
      {open && (
        <Sheet title={`Proof of ${run_id}`} onClose={() => setOpen(false)}>
          <ul className={css('proof-problems')} aria-label="What is wrong with it">
            {problems.map(({ side, problem: { code, file, detail } }, at) => (
              <li key={at}>
                <p>
                  <b>{problemText[code]}</b> <code className="mono quiet">{code}</code>{' '}
                  <span className="quiet">on the {side}</span>
                </p>
                <p className="soft">
                  {file === null ? (
                    ''
                  ) : (
                    <>
                      <code className="mono">{visibleText(file)}</code>:{' '}
                    </>
                  )}
                  {visibleText(detail)}
                </p>
              </li>
            ))}
          </ul>
        </Sheet>
      )}
    </span>
  )
}
