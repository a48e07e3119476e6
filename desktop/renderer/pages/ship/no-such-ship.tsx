import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { visibleText } from '../../text/visible-text.ts'

/** Stands where the address names a ship that the repository does not have. */
export const NoSuchShip = ({ id }: { id: string }): ReactElement => (
  <div className="page">
    <h1>There is no such ship</h1>
    <p className="soft">
      The repository has no ship named <code className="mono">{visibleText(id)}</code>. It may be of
      another repository, or its files were deleted.
    </p>
    <Link href="/ship" className="button">
      Back to the newest ship
    </Link>
  </div>
)
