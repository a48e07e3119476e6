import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { Nothing } from '../../ui/problem-note.tsx'
import { visibleText } from '../../text/visible-text.ts'

/** Stands where the address names a ship that the repository does not have. */
export const NoSuchShip = ({ id }: { id: string }): ReactElement => (
  <div className="page">
    <Nothing title="There is no such ship">
      The repository has no ship named <code className="mono">{visibleText(id)}</code>. It may be of
      another repository, or its files were deleted.
    </Nothing>
    <Link href="/ship" className="button">
      Back to the newest ship
    </Link>
  </div>
)
