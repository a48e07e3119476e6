import type { ReactElement } from 'react'
import { Nothing } from './problem-note.tsx'

/** Stands where the address names no page, or no run. */
export const NoSuchPage = (): ReactElement => (
  <div className="page">
    <Nothing title="There is no such page">
      HQ has no page at this address. The navigation on the left lists every page.
    </Nothing>
  </div>
)
