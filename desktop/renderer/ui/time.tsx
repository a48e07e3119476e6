import type { ReactElement } from 'react'
import { age, clock, dateAndTime } from '../text/format.ts'
import { useNow } from './now.ts'

/** How old something is; the exact moment on hover. */
export function Age({ at }: { at: string }): ReactElement {
  const now = useNow()
  return (
    <time dateTime={at} title={dateAndTime(at)} className="nowrap">
      {age(now - Date.parse(at))}
    </time>
  )
}

/** A clock that runs from `since` (milliseconds since the epoch). */
export function Clock({ since }: { since: number }): ReactElement {
  const now = useNow()
  return (
    <span role="timer" aria-live="off" className="nowrap">
      {clock(now - since)}
    </span>
  )
}
