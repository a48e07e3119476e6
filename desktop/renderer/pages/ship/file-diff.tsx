import { useState, type ReactElement } from 'react'
import type { Finding } from '#shared/verdict'
import { Icon, Mark } from '../../ui/icons.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { grouped } from '../../words/format.ts'
import { visibleText } from '../../words/visible-text.ts'
import type { DiffFile, DiffRow } from './diff-model.ts'

/** Most rows drawn at once; more on request. A diff that long is read elsewhere. */
const firstRows = 1500

export function FileDiff({ file }: { file: DiffFile }): ReactElement {
  const [whole, setWhole] = useState<string | null>(null)
  const rows = whole === file.path ? file.rows : file.rows.slice(0, firstRows)
  return (
    <div className="diff" tabIndex={0} role="group" aria-label="Diff">
      {file.loose.map((finding, index) => <FindingBox key={`l${index}`} finding={finding} />)}
      {file.binary && <Nothing title="A binary file">Its content is not shown; its digest is part of the reviewed diff.</Nothing>}
      {!file.binary && file.rows.length === 0 && file.loose.length === 0 && <Nothing title="No lines to show">The diff kept for this page ends before this file, or only its mode or name changed.</Nothing>}
      {rows.map((row, index) => <Row key={index} row={row} />)}
      {rows.length < file.rows.length && <div className="more"><PushButton small onPress={() => setWhole(file.path)}>Show all {grouped(file.rows.length)} lines</PushButton></div>}
    </div>
  )
}

function Row({ row }: { row: DiffRow }): ReactElement {
  if (row.kind === 'hunk') return <div className="diff-hunk">{row.text}</div>
  return (
    <>
      <div className={`diff-line diff-${row.kind}`}>
        <span>{row.old}</span><span>{row.new}</span><em>{row.kind === 'add' ? '+' : row.kind === 'del' ? '−' : ''}</em><code>{row.text}</code>
      </div>
      {row.findings.map((finding, index) => <FindingBox key={index} finding={finding} />)}
    </>
  )
}

function FindingBox({ finding: { severity, title, body, line } }: { finding: Finding }): ReactElement {
  const blocking = severity === 'blocking'
  return (
    <article className={`finding ${blocking ? 'blocked' : 'finding-note'}`} aria-label={`${blocking ? 'Blocking finding' : 'Note'}: ${visibleText(title)}`}>
      <div className="finding-head">{blocking ? <Mark tone="blocked" /> : <Icon name="note" />}<b>{visibleText(title)}</b><span className="grow" /><span className="quiet small nowrap">{blocking ? 'blocking' : 'note'}{line > 0 ? `, line ${line}` : ''}</span></div>
      <p>{visibleText(body)}</p>
    </article>
  )
}
