import type { ReactElement } from 'react'
import type { RepositoryState } from '#shared/bridge'
import { whyNot } from '#shared/state/buttons'
import { useLive } from '../../state/live.tsx'
import { Commit } from '../../ui/copy.tsx'
import { count } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { BeforeShip } from './before-ship.tsx'
import { ShipSteps } from './ship-steps.tsx'

const whatShipDoes =
  'Ship tests this commit in a clean worktree, has it reviewed, checks both again, and pushes.'

/** Before the first ship: what would be shipped, and the five steps it would take. */
export function NoShip(): ReactElement {
  const {
    overview: { repository },
    state,
  } = useLive()
  return (
    <div className="page">
      <div className="head">
        <div className="grow">
          <h1>{titleOf(repository)}</h1>
          <p className="sub">{visibleText(whyNot(state.buttons.ship) ?? whatShipDoes)}</p>
        </div>
      </div>
      <ShipSteps steps={[]} result={null} />
      <BeforeShip editing={false} />
      {repository && (
        <dl className="versus">
          <div>
            <dt>Repository</dt>
            <dd>
              {repository.name}
              <span className="quiet">{repository.branch ?? 'no branch'}</span>
            </dd>
          </div>
          <div>
            <dt>Commit</dt>
            <dd>
              {repository.head ? <Commit id={repository.head} /> : 'none'}
              <span className="quiet ellipsis">{visibleText(repository.subject ?? '')}</span>
            </dd>
          </div>
          <div>
            <dt>origin/main</dt>
            <dd>
              {repository.remote ? <Commit id={repository.remote} /> : 'not known'}
              <span className="quiet">
                {repository.ahead} ahead, {repository.behind} behind
              </span>
            </dd>
          </div>
          <div>
            <dt>Not committed</dt>
            <dd>
              {repository.dirty_files === 0 ? 'nothing' : count(repository.dirty_files, 'file')}
            </dd>
          </div>
        </dl>
      )}
    </div>
  )
}

function titleOf(repository: RepositoryState | null): string {
  if (repository === null) return 'No repository is chosen'
  return repository.ahead > 0 ? `${count(repository.ahead, 'commit')} to ship` : 'Nothing to ship'
}
