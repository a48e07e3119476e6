import type { RepositoryState, ShipDetail } from '#shared/bridge'
import type { ShipResult } from '#shared/result'
import type { Finding } from '#shared/verdict'
import { stepTitle } from '#shared/steps'
import type { LogState } from '../../state/log-state.ts'
import { count, shortCommit, shortRun, took } from '../../text/format.ts'

export interface ShipHeadline {
  readonly title: string
  readonly sub: string
}

/**
 * How a ship ended: one sentence, and what that means for origin/main.
 * @param running the commit of a ship that runs, null until it is frozen; undefined when it has ended
 */
export function shipHeadline(
  { summary: { run_id, result }, findings }: ShipDetail,
  running: string | null | undefined,
): ShipHeadline {
  if (running !== undefined) return underway(running)
  if (result === null)
    return {
      title: `Ship ${shortRun(run_id)} left no result`,
      sub:
        'It ended before it could write one. ' +
        'Its log shows how far it came; the next ship starts from the first step.',
    }
  return result.overall === 'PASS' ? shipped(result) : notShipped(result, findings)
}

function underway(commit: string | null): ShipHeadline {
  return {
    title: commit ? `Shipping ${shortCommit(commit)}` : 'Shipping',
    sub: 'One frozen commit. Nothing is pushed before every step has passed.',
  }
}

const nameOf = ({ git_head }: ShipResult): string =>
  git_head ? shortCommit(git_head) : 'The commit'

function shipped(result: ShipResult): ShipHeadline {
  const remote = result.remote_sha ? shortCommit(result.remote_sha) : 'the same commit'
  return {
    title: `${nameOf(result)} is shipped`,
    sub: `Tested, reviewed and pushed: origin/main was read back as ${remote}.`,
  }
}

function notShipped(result: ShipResult, findings: readonly Finding[]): ShipHeadline {
  const { error_class, step_failed, started_at, finished_at, pushed_sha } = result
  const blocking = findings.filter(({ severity }) => severity === 'blocking').length
  const why = blocking > 0 ? `${count(blocking, 'finding')} must be fixed. ` : ''
  const ended = error_class === 'cancelled' || error_class === 'interrupted'
  const at =
    step_failed === null
      ? 'before its first step'
      : `at ${stepTitle(step_failed)} after ${took(Date.parse(finished_at) - Date.parse(started_at))}`
  const maybe = error_class === 'push_unconfirmed' || pushed_sha !== null
  return {
    title: `${nameOf(result)} ${maybe ? 'may be' : 'is not'} shipped`,
    sub: `${why}It ${ended ? `was ${error_class}` : 'stopped'} ${at}.`,
  }
}

/** What happened to the remote, as the result says it. */
export function pushState(result: ShipResult, remote: string | null): string {
  if (result.error_class === 'push_unconfirmed')
    return 'The push may have arrived; the next ship reads origin/main again and finds out.'
  if (result.pushed_sha !== null) return `${shortCommit(result.pushed_sha)} was pushed.`
  const still = result.remote_sha ?? remote
  return still === null
    ? 'Nothing was pushed.'
    : `Nothing was pushed: origin/main is still ${shortCommit(still)}.`
}

/** What changed in the repository since this ship. */
export function sinceThen(
  result: ShipResult | null,
  repository: RepositoryState | null,
): string | null {
  if (repository === null || result === null) return null
  if (
    repository.head !== null &&
    result.git_head !== null &&
    repository.head !== result.git_head &&
    repository.ahead > 0
  )
    return (
      `Since then: ${repository.subject ?? shortCommit(repository.head)}, ` +
      `${count(repository.ahead, 'commit')} to ship.`
    )
  if (repository.dirty_files > 0)
    return `Since then: ${count(repository.dirty_files, 'file')} changed and not committed.`
  return null
}

/** Where a running ship with repairs is; null for its first attempt, which is like any other ship. */
export function turnOf({
  attempt,
  attempts,
  steps,
}: Pick<LogState, 'attempt' | 'attempts' | 'steps'>): string | null {
  if (attempt === null || attempts < 2) return null
  return steps.some(({ name }) => name === 'repair')
    ? `Repair ${attempt}: the implementer works on a copy; your branch stays where it is.`
    : `Attempt ${attempt}, on the commit of repair ${attempt - 1}.`
}
