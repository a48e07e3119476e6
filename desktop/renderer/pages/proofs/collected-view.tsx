import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useEffectEvent, useRef, type ReactElement } from 'react'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import type { CollectedTable } from './collected.ts'
import { FileFrame, LineLink } from './file-frame.tsx'
import styles from './file-view.module.css'

const css = bindStyles(styles)

/** In pixels. */
const rowHeight = 25

interface Props {
  readonly name: string
  readonly table: CollectedTable
  /** Lower case; its occurrences are marked. */
  readonly find: string
  /** Numbers of the rows in which it occurs, from 0. */
  readonly matches: readonly number[]
  /** From 0; null for none. */
  readonly selected: number | null
  /** Address of a line of the file. @param line from 1 */
  readonly hrefOf: (line: number) => string
}

/** What Phase 0 collected: one row for each item or message, virtual. Every text is what a service wrote. */
export function CollectedView({
  name,
  table: { columns, rows },
  find,
  matches,
  selected,
  hrefOf,
}: Props): ReactElement {
  const scroller = useRef<HTMLDivElement>(null)
  // oxlint-disable-next-line react/incompatible-library -- about the React compiler, which is not used
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 20,
  })
  const show = useEffectEvent((row: number) => list.scrollToIndex(row, { align: 'center' }))
  useEffect(() => {
    if (selected !== null) show(selected)
  }, [selected])
  return (
    <FileFrame
      scroller={scroller}
      label={name}
      kind={{ role: 'table', rowCount: rows.length + 1 }}
      lastLine={rows.at(-1)?.line ?? 1}
      variables={{ '--columns': columns.map((title) => widths[title] ?? '160px').join(' ') }}
      marks={{ rows: matches, of: rows.length, selected }}
    >
      <div role="row" aria-rowindex={1} className={css('collected-row collected-head')}>
        <span role="columnheader" className={css('pane-number file-number')}>
          Line
        </span>
        {columns.map((title) => (
          <span key={title} role="columnheader">
            {title}
          </span>
        ))}
      </div>
      <div role="rowgroup" className="pane-rows" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map(({ index, start, key }) => (
          <div
            key={key}
            role="row"
            aria-rowindex={index + 2}
            data-line={rows[index]?.line}
            className={css(
              `pane-row collected-row collected-item ${index === selected ? 'pane-selected' : ''}`,
            )}
            style={{ transform: `translateY(${start}px)` }}
          >
            <Row row={rows[index]} find={find} hrefOf={hrefOf} />
          </div>
        ))}
      </div>
    </FileFrame>
  )
}

/** Widths of the columns that need more or less than others. */
const widths: Readonly<Record<string, string>> = {
  Title: 'minmax(160px, 2fr)',
  Address: 'minmax(160px, 2fr)',
  Page: 'minmax(90px, 1fr)',
  Date: '128px',
  From: 'minmax(130px, 2fr)',
  To: 'minmax(110px, 1fr)',
  Subject: 'minmax(180px, 3fr)',
  Labels: 'minmax(80px, 1fr)',
  Attachments: 'minmax(100px, 1fr)',
  Id: '136px',
}

function Row({
  row,
  find,
  hrefOf,
}: Pick<Props, 'find' | 'hrefOf'> & {
  row: CollectedTable['rows'][number] | undefined
}): ReactElement | null {
  if (row === undefined) return null
  return (
    <>
      <span role="cell" className={css('pane-number file-number')}>
        <LineLink line={row.line} href={hrefOf(row.line)} className="pane-number" />
      </span>
      {row.cells.map((cell, at) => {
        const text = visibleText(cell)
        return (
          // oxlint-disable-next-line react/no-array-index-key -- a column has no other name
          <span key={at} role="cell" title={text} className={css('collected-cell')}>
            <AnsiText text={text} find={find} />
          </span>
        )
      })}
    </>
  )
}
