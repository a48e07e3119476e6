import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useEffectEvent, useMemo, useRef, useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { Icon } from '../../ui/icons.tsx'
import { grouped } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import { fieldTitle } from './field-titles.ts'
import { FileFrame, LineLink } from './file-frame.tsx'
import { foldedAtFirst, groupsAround, visibleRows, type JsonRow } from './json-rows.ts'
import { JsonValueText } from './json-value.tsx'
import styles from './file-view.module.css'

const css = bindStyles(styles)

/** In pixels. */
const rowHeight = 23
/** Steps to the right; what is deeper stays there. */
const deepest = 12

interface Props {
  readonly name: string
  readonly rows: readonly JsonRow[]
  readonly find: string
  /** Numbers of the rows in which it occurs. */
  readonly matches: readonly number[]
  /** Number of a row; null for none. */
  readonly selected: number | null
  readonly hrefOf: (line: number) => string
}

/** A JSON file as a document: names and values in words, groups that fold, and the line of each in the file. */
export function JsonView({ name, rows, find, matches, selected, hrefOf }: Props): ReactElement {
  const scroller = useRef<HTMLDivElement>(null)
  const [folded, setFolded] = useState(() => foldedAtFirst(rows))
  const visible = useMemo(() => visibleRows(rows, folded), [rows, folded])
  // oxlint-disable-next-line react/incompatible-library -- about the React compiler, which is not used
  const list = useVirtualizer({
    count: visible.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => visible[index] ?? index,
    estimateSize: () => rowHeight,
    overscan: 20,
    paddingStart: 6,
    paddingEnd: 12,
  })
  const [shown, setShown] = useState<number | null>(null)
  if (selected !== shown) {
    setShown(selected)
    if (selected !== null) setFolded(without(folded, groupsAround(rows, selected)))
  }
  const show = useEffectEvent((row: number) => {
    const index = visible.indexOf(row)
    if (index >= 0) list.scrollToIndex(index, { align: 'center' })
  })
  useEffect(() => {
    if (shown !== null) show(shown)
  }, [shown])
  const toggle = (row: number): void =>
    setFolded(folded.has(row) ? without(folded, [row]) : new Set([...folded, row]))
  return (
    <FileFrame
      scroller={scroller}
      label={name}
      kind={{ role: 'group' }}
      lastLine={rows.at(-1)?.line ?? 1}
      marks={{
        rows: matches.map((row) => visible.findIndex((each) => each >= row)),
        of: visible.length,
        selected: selected === null ? null : visible.indexOf(selected),
      }}
    >
      <div className="pane-rows" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map(({ index, start, key }) => {
          const at = visible[index] ?? 0
          const row = rows[at]
          if (row === undefined) return null
          return (
            <div
              key={key}
              ref={list.measureElement}
              data-index={index}
              data-line={row.line}
              className={css(`pane-row json-row ${at === selected ? 'pane-selected' : ''}`)}
              style={{ transform: `translateY(${start}px)` }}
            >
              <LineLink line={row.line} href={hrefOf(row.line)} />
              {row.kind === 'group' ? (
                <Group row={row} find={find} open={!folded.has(at)} onToggle={() => toggle(at)} />
              ) : (
                <Field row={row} find={find} />
              )}
            </div>
          )
        })}
      </div>
    </FileFrame>
  )
}

const without = (set: ReadonlySet<number>, gone: readonly number[]): ReadonlySet<number> => {
  const left = new Set(set)
  for (const each of gone) left.delete(each)
  return left
}

const indent = ({ depth }: JsonRow): { paddingLeft: string } => ({
  paddingLeft: `${Math.min(depth, deepest) * 18}px`,
})
const nameOf = ({ key, label }: JsonRow): string =>
  key === null ? visibleText(label) : fieldTitle(visibleText(key))

function Field({ row, find }: { row: JsonRow; find: string }): ReactElement {
  return (
    <>
      <span className={css('json-key')} style={indent(row)} title={row.key ?? ''}>
        <AnsiText text={nameOf(row)} find={find} />
      </span>
      <span className={css('json-value')}>
        <JsonValueText name={row.key ?? ''} value={row.value} find={find} />
      </span>
    </>
  )
}

function Group({
  row,
  find,
  open,
  onToggle,
}: {
  row: JsonRow
  find: string
  open: boolean
  onToggle: () => void
}): ReactElement {
  return (
    <span className={css('json-group')} style={indent(row)}>
      <Button className={css('json-fold')} aria-expanded={open} onPress={onToggle}>
        <Icon name={open ? 'down' : 'right'} small />
        <AnsiText text={nameOf(row)} find={find} />
        {row.key !== null && <span className="quiet">{grouped(row.count)}</span>}
      </Button>
      {!open &&
        row.summary.map(({ key, value }) => (
          <span key={key} className={css('json-summary')}>
            <JsonValueText name={key} value={value} find={find} />
          </span>
        ))}
    </span>
  )
}
