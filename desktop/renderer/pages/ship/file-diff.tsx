import { useEffect, useRef, useState, type ReactElement } from 'react'
import type { Finding } from '#shared/verdict'
import { Icon, Mark } from '../../ui/icons.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { grouped } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import type { DiffFile, DiffRow } from './diff-model.ts'
import { locationOf } from './finding-list.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './file-diff.module.css'

const css = bindStyles(styles)

/** Most rows drawn at once; more on request. A longer diff is read in another program. */
const firstRows = 1500

export function FileDiff({
  file,
  finding: current,
}: {
  file: DiffFile
  finding: Finding | null
}): ReactElement {
  const [whole, setWhole] = useState<string | null>(null)
  // A selected finding is drawn, however far down it is.
  const far =
    current !== null &&
    file.rows.findIndex(({ findings }) => findings.includes(current)) >= firstRows
  const rows = whole === file.path || far ? file.rows : file.rows.slice(0, firstRows)
  return (
    <div className={css('diff')} tabIndex={0} role="group" aria-label="Diff">
      {file.loose.map((finding, index) => (
        <FindingBox key={`l${index}`} finding={finding} current={finding === current} />
      ))}
      {file.binary && (
        <Nothing title="A binary file">
          Its content is not shown; its digest is part of the reviewed diff.
        </Nothing>
      )}
      {!file.binary && file.rows.length === 0 && file.loose.length === 0 && (
        <Nothing title="No lines to show">
          The diff kept for this page ends before this file, or only its mode or name changed.
        </Nothing>
      )}
      {rows.map((row, index) => (
        <Row key={index} row={row} current={current} />
      ))}
      {rows.length < file.rows.length && (
        <div className="more">
          <PushButton small onPress={() => setWhole(file.path)}>
            Show all {grouped(file.rows.length)} lines
          </PushButton>
        </div>
      )}
    </div>
  )
}

const signs = { add: '+', del: '−', same: '' } as const

function Row({ row, current }: { row: DiffRow; current: Finding | null }): ReactElement {
  if (row.kind === 'hunk') return <div className={css('diff-hunk')}>{row.text}</div>
  return (
    <>
      <div className={css(`diff-line diff-${row.kind}`)}>
        <span>{row.old}</span>
        <span>{row.new}</span>
        <em>{signs[row.kind]}</em>
        <code>{row.text}</code>
      </div>
      {row.findings.map((finding, index) => (
        <FindingBox key={index} finding={finding} current={finding === current} />
      ))}
    </>
  )
}

function FindingBox({ finding, current }: { finding: Finding; current: boolean }): ReactElement {
  const { severity, title, body } = finding
  const blocking = severity === 'blocking'
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    if (current) box.current?.scrollIntoView({ block: 'center' })
  }, [current])
  return (
    <article
      ref={box}
      className={css(
        `finding ${blocking ? 'blocked' : 'finding-note'} ${current ? 'finding-current' : ''}`,
      )}
      aria-label={`${blocking ? 'Blocking finding' : 'Note'}: ${visibleText(title)}`}
    >
      <div className={css('finding-head')}>
        {blocking ? <Mark tone="blocked" /> : <Icon name="note" />}
        <b>{visibleText(title)}</b>
        <span className="grow" />
        <span className="quiet small nowrap">
          {blocking ? 'blocking' : 'note'}, <code className="mono">{locationOf(finding)}</code>
        </span>
      </div>
      <p>{visibleText(body)}</p>
    </article>
  )
}
