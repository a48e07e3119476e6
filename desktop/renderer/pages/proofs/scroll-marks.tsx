import type { ReactElement } from 'react'
import { bindStyles } from '../../ui/styles.ts'
import styles from './file-view.module.css'

const css = bindStyles(styles)

/** Different positions on the bar. */
const positions = 250

/** Marks beside the scrollbar: where matches are, and where the chosen line is. */
export function ScrollMarks({
  rows,
  of,
  selected,
}: {
  rows: readonly number[]
  of: number
  selected: number | null
}): ReactElement | null {
  if (rows.length === 0 && selected === null) return null
  const place = (row: number): number => Math.floor((row / Math.max(1, of)) * positions)
  return (
    <div className={css('scroll-marks')} aria-hidden>
      {[...new Set(rows.map(place))].map((at) => (
        <i key={at} style={{ top: `${(at / positions) * 100}%` }} />
      ))}
      {selected !== null && <b style={{ top: `${(place(selected) / positions) * 100}%` }} />}
    </div>
  )
}
