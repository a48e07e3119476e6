import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useEffectEvent, useRef, type ReactElement } from 'react'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { bindStyles } from '../../ui/styles.ts'
import { drawn } from './file-document.ts'
import { FileFrame, LineLink } from './file-frame.tsx'
import styles from './file-view.module.css'

const css = bindStyles(styles)

/** In pixels. */
const lineHeight = 19

interface Props {
  readonly name: string
  readonly lines: readonly string[]
  /** Lower case; its occurrences are marked. */
  readonly find: string
  /** Numbers of the lines in which it occurs, from 0. */
  readonly matches: readonly number[]
  /** From 0; null for none. */
  readonly selected: number | null
  readonly wrap: boolean
  /** Address of a line. @param line from 1 */
  readonly hrefOf: (line: number) => string
}

/** The lines of a file: numbered, coloured, virtual. Each number is the link to its line. */
export function TextLines({
  name,
  lines,
  find,
  matches,
  selected,
  wrap,
  hrefOf,
}: Props): ReactElement {
  const scroller = useRef<HTMLDivElement>(null)
  // oxlint-disable-next-line react/incompatible-library -- about the React compiler, which is not used
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 24,
    paddingStart: 6,
    paddingEnd: 6,
  })
  const show = useEffectEvent((row: number) => rows.scrollToIndex(row, { align: 'center' }))
  useEffect(() => {
    if (selected !== null) show(selected)
  }, [selected])
  const measure = useEffectEvent(() => rows.measure())
  useEffect(() => measure(), [wrap])
  return (
    <FileFrame
      scroller={scroller}
      label={name}
      kind={{ role: 'group' }}
      className={wrap ? 'pane-wrap' : ''}
      lastLine={lines.length}
      marks={{ rows: matches, of: lines.length, selected }}
    >
      <div className="pane-rows" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start, key }) => (
          <div
            key={key}
            ref={wrap ? rows.measureElement : undefined}
            data-index={index}
            data-line={index + 1}
            className={css(`pane-row file-line ${index === selected ? 'pane-selected' : ''}`)}
            style={{ transform: `translateY(${start}px)` }}
          >
            <LineLink line={index + 1} href={hrefOf(index + 1)} />
            <span className="pane-text">
              <AnsiText text={drawn(lines[index] ?? '')} find={find} />
            </span>
          </div>
        ))}
      </div>
    </FileFrame>
  )
}
