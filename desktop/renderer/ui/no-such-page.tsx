import type { ReactElement } from 'react'
import { Nothing } from './problem-note.tsx'

/** Stands where the address names no page, or no run. */
export const NoSuchPage = (): ReactElement => (
  <div className="page">
    <Nothing title="There is no such page">
      The address names nothing that HQ has. The navigation on the left has every page.
    </Nothing>
  </div>
)
