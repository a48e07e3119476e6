import type { ReactElement } from 'react'

/** Stands where the address names no page, or no run. */
export const NoSuchPage = (): ReactElement => (
  <div className="page">
    <h1>There is no such page</h1>
    <p className="soft">
      HQ has no page at this address. The navigation on the left lists every page.
    </p>
  </div>
)
