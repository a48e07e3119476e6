import type { Overview, RepositoryState, ShipDetail } from '#shared/bridge'
import type { ShipResult } from '#shared/result'
import type { LogState } from '../../state/log-state.ts'
import { count, shortCommit, shortRun, took } from '../../text/format.ts'

/** What became of a ship: one sentence, and what that means for origin/main. */
export function shipHeadline(
  { summary: { run_id, result }, findings }: ShipDetail,
  active: boolean,
  { repository, change }: Overview,
): { title: string; sub: string } {
  if (active || result === null) {
    const commit = active ? (change.commit ?? repository?.head ?? null) : null
    return active
      ? {
          title: commit ? `Shipping ${shortCommit(commit)}` : 'Shipping',
          sub: 'One frozen commit. Nothing is pushed before every step has passed.',
        }
      : {
          title: `Ship ${shortRun(run_id)} left no result`,
          sub: 'It ended before it could write one. Its log shows how far it came; the next ship starts afresh.',
        }
  }
  const commit = result.git_head ? shortCommit(result.git_head) : null
  if (result.overall === 'PASS')
    return {
      title: `${commit ?? 'The commit'} is shipped`,
      sub: `Tested, reviewed and pushed: origin/main was read back as ${result.remote_sha ? shortCommit(result.remote_sha) : 'the same commit'}.`,
    }
  const blocking = findings.filter(({ severity }) => severity === 'blocking').length
  const why = blocking > 0 ? `${count(blocking, 'finding')} must be fixed. ` : ''
  const unsettled = result.error_class === 'push_unconfirmed' || result.pushed_sha !== null
  const at =
    result.step_failed === null
      ? 'before its first step'
      : `at ${result.step_failed} after ${took(Date.parse(result.finished_at) - Date.parse(result.started_at))}`
  return {
    title: unsettled
      ? `${commit ?? 'The commit'} may be shipped`
      : `${commit ?? 'The commit'} is not shipped`,
    sub: `${why}It ${result.error_class === 'cancelled' || result.error_class === 'interrupted' ? `was ${result.error_class}` : 'stopped'} ${at}.`,
  }
}

/** What happened to the remote, from what the result says, never guessed. */
export function pushState(result: ShipResult, remote: string | null): string {
  if (result.error_class === 'push_unconfirmed')
    return 'The push may have arrived; the next ship reads origin/main again and settles it.'
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
    return `Since then: ${repository.subject ?? shortCommit(repository.head)}, ${count(repository.ahead, 'commit')} to ship.`
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
