import type { CSSProperties, ReactElement, ReactNode, RefObject } from 'react'
import { Link } from 'wouter'
import { grouped } from '../../text/format.ts'
import { bindStyles } from '../../ui/styles.ts'
import { ScrollMarks } from './scroll-marks.tsx'
import styles from './file-view.module.css'

const css = bindStyles(styles)

interface FrameProps {
  /** The part that scrolls, for the virtual list. */
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly label: string
  /** What its rows are to a screen reader. */
  readonly kind: { readonly role: 'group' | 'table'; readonly rowCount?: number }
  readonly className?: string
  /** Number of the last line: the column of numbers is as wide. */
  readonly lastLine: number
  /** Custom properties of its style sheet. */
  readonly variables?: Readonly<Record<`--${string}`, string>>
  readonly marks: Parameters<typeof ScrollMarks>[0]
  readonly children: ReactNode
}

/** The rows of a file, which scroll, with the marks of what was found beside them. */
export function FileFrame({
  scroller,
  label,
  kind: { role, rowCount },
  className = '',
  lastLine,
  variables = {},
  marks,
  children,
}: FrameProps): ReactElement {
  return (
    <div className={css('file-area')}>
      <div
        ref={scroller}
        className={css(`pane-scroll file-scroll ${className}`)}
        tabIndex={0}
        role={role}
        aria-label={label}
        aria-rowcount={rowCount}
        style={{ '--digits': `${String(lastLine).length}ch`, ...variables } as CSSProperties}
      >
        {children}
      </div>
      <ScrollMarks {...marks} />
    </div>
  )
}

/** The number of a line of the file, which leads to it. @param className default: as wide as the column of numbers */
export function LineLink({
  line,
  href,
  className = 'pane-number file-number',
}: {
  line: number
  href: string
  className?: string
}): ReactElement {
  return (
    <Link
      href={href}
      replace
      tabIndex={-1}
      className={css(className)}
      aria-label={`Line ${grouped(line)}`}
    >
      {line}
    </Link>
  )
}
