import type { CSSProperties, ReactElement, ReactNode } from 'react'
import type { Shown } from '../text/status.ts'
import { Mark } from './icons.tsx'
import { bindStyles } from './styles.ts'
import styles from './rail-line.module.css'

const css = bindStyles(styles)

export interface RailItem {
  readonly key: string
  readonly title: string
  readonly shown: Shown
  /** The whole line as text, for screen readers. */
  readonly name: string
  readonly state: ReactNode
  readonly below: ReactNode
  /** A label that must not be cut off. */
  readonly note?: ReactNode
  /** Part of the typical time that has passed, 0 to 1; only for a running one. */
  readonly done?: number
  readonly stale?: boolean
}

/** One rail with a segment per gate or step; no boxes. */
export function RailLine({
  label,
  items,
}: {
  label: string
  items: readonly RailItem[]
}): ReactElement {
  return (
    <ol
      className="rail-line"
      aria-label={label}
      style={{ '--count': items.length } as CSSProperties}
    >
      {items.map(({ key, title, shown, name, state, below, note, done, stale }) => (
        <li
          key={key}
          className={css(`rail-item ${shown.tone} ${stale ? 'stale' : ''}`)}
          aria-label={name}
          style={{ '--done': `${Math.round((done ?? 0.5) * 100)}%` } as CSSProperties}
        >
          <div className={css('rail-title')}>
            <Mark tone={shown.tone} />
            <span className="ellipsis">{title}</span>
          </div>
          <p className={css('rail-state ellipsis')}>{state}</p>
          <p className="ellipsis">{below}</p>
          {note !== undefined && <p>{note}</p>}
        </li>
      ))}
    </ol>
  )
}
