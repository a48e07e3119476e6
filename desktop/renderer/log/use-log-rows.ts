import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { useEffect, useEffectEvent, useRef, useState, type RefObject } from 'react'
import type { LogView } from './log-stream.ts'

interface Shown {
  readonly view: LogView
  readonly errorRow: number | null
  /** A row to bring into view; a new object brings it into view again. */
  readonly goTo: { readonly row: number } | null
}

export interface LogRows {
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly rows: Virtualizer<HTMLDivElement, Element>
  /** The log keeps its end in view. */
  readonly follow: boolean
  readonly setFollow: (follow: boolean) => void
  readonly selected: number | null
  readonly show: (row: number) => void
}

/** In pixels. */
const lineHeight = 19
const markHeight = 28

/**
 * The visible rows of a log, and where it stands: at its end while it follows, at its first error once the run is red,
 * or at a chosen row.
 */
export function useLogRows({ view, errorRow, goTo }: Shown): LogRows {
  const { log } = view
  const scroller = useRef<HTMLDivElement>(null)
  const [follow, setFollow] = useState(view.stream !== 'complete' || log.lines === 0)
  const [selected, setSelected] = useState<number | null>(null)

  // oxlint-disable-next-line react/incompatible-library -- about the React compiler, which is not used
  const rows = useVirtualizer({
    count: log.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (log.rows[index]?.kind === 'mark' ? markHeight : lineHeight),
    overscan: 24,
    paddingStart: 6,
    paddingEnd: 6,
  })

  const show = (row: number): void => {
    setFollow(false)
    setSelected(row)
    rows.scrollToIndex(row, { align: 'center' })
  }

  const showEnd = useEffectEvent(() => {
    if (log.rows.length > 0) rows.scrollToIndex(log.rows.length - 1, { align: 'end' })
  })
  useEffect(() => {
    if (follow) showEnd()
  }, [follow, view])

  const opened = useRef(false)
  const showOnce = useEffectEvent((row: number) => {
    if (opened.current) return
    opened.current = true
    show(row)
  })
  const red = log.result !== null || view.stream === 'complete'
  useEffect(() => {
    if (red && errorRow !== null) showOnce(errorRow)
  }, [red, errorRow])

  const showRequested = useEffectEvent((row: number) => {
    // In a narrow window the log may lie below what was pressed.
    scroller.current?.scrollIntoView({ block: 'nearest' })
    show(row)
  })
  useEffect(() => {
    if (goTo) showRequested(goTo.row)
  }, [goTo])

  return { scroller, rows, follow, setFollow, selected, show }
}
