import { actionOf } from '#shared/actions'
import type { Overview } from '#shared/bridge'
import type { Pin } from '#shared/result'
import type { Run } from '#shared/run'
import { count, shortCommit, startOfRun } from '../text/format.ts'

/** What the frame derives from the overview: what runs, what may be pressed, and what is old. */
export interface Facts {
  readonly deploy: Run | null
  readonly ship: {
    readonly runId: string
    readonly step: string | null
    readonly since: number
  } | null
  /** The host's state is from `connection.as_of`, not from now. */
  readonly stale: boolean
  readonly hostName: string
  readonly shipBlocked: Reason | null
  readonly deployBlocked: Reason | null
  /** A rollback keeps deploys away from a commit; `holds`: that is still the newest one HQ knows of. */
  readonly pin: (Pin & { readonly holds: boolean }) | null
  /** The one filled button, if either should be it: never one that would stop again the same way. */
  readonly primary: 'ship' | 'deploy' | null
}
export interface Reason {
  readonly short: string
  readonly whole: string
}

/** The first clause, as a button carries it: *1 file is not committed*. */
function reason(text: string | null): Reason | null {
  if (text === null) return null
  const clause = (/^(?:[^:;.]|\.(?=\S))+/.exec(text)?.[0] ?? text).trim()
  const plain = /^[A-Z][a-z ]/.test(clause)
    ? clause.charAt(0).toLowerCase() + clause.slice(1)
    : clause
  return { short: plain, whole: text }
}

const goneMs = 15_000

/** @param now milliseconds since the epoch; @param cut the bridge itself does not answer */
export function factsOf(overview: Overview, now: number, cut: boolean): Facts {
  const { connection, repository, ship, status, change } = overview
  const deploy = status?.active_runs.find(({ lane }) => lane === 'deploy') ?? null
  const silent = connection.as_of === null ? 0 : now - Date.parse(connection.as_of)
  const stale =
    cut ||
    connection.state === 'offline' ||
    connection.state === 'refused' ||
    (connection.state !== 'online' && silent > goneMs)
  const shipBlocked = reason(
    repository === null ? 'no repository is chosen' : repository.ship_blocked,
  )
  const away = cut || stale ? (connection.state === 'refused' ? 'refused' : 'unreachable') : null
  const deployBlocked =
    away === null
      ? reason(connection.deploy_blocked)
      : { short: away, whole: cut ? away : (connection.deploy_blocked ?? away) }
  const pinned = status?.state?.pin ?? null
  const pin = pinned && { ...pinned, holds: !movedOn(pinned, overview) }
  const passed = (name: string): boolean =>
    change.gates.some((gate) => gate.name === name && gate.state === 'pass')
  const activeShip =
    ship?.active === true
      ? { runId: ship.run_id, step: ship.step, since: startOfRun(ship.run_id) }
      : null
  const red = change.gates.some(
    ({ name, state }) =>
      (name === 'deployed' || name === 'verified') && (state === 'fail' || state === 'blocked'),
  )
  const stopped =
    ship?.result?.overall === 'FAIL' &&
    ship.result.git_head === repository?.head &&
    ship.result.next_auto_fix !== 'ship_again'
  const primary =
    shipBlocked === null &&
    activeShip === null &&
    repository !== null &&
    repository.ahead > 0 &&
    !stopped
      ? 'ship'
      : deployBlocked === null &&
          deploy === null &&
          passed('pushed') &&
          !passed('deployed') &&
          !red &&
          pin?.holds !== true
        ? 'deploy'
        : null
  return {
    deploy,
    ship: activeShip,
    stale,
    hostName: connection.name ?? 'host',
    shipBlocked,
    deployBlocked,
    pin,
    primary,
  }
}

/** What a deploy would bring: origin/main, as far as laptop and host know it. */
export const targetOf = ({
  status,
  repository,
}: Pick<Overview, 'status' | 'repository'>): string | null =>
  status?.last_ship.result?.pushed_sha ?? repository?.remote ?? null

/** The host, or this laptop, knows a newer commit of origin/main: the next deploy ends the pin. */
function movedOn({ from_sha }: Pin, { status, repository }: Overview): boolean {
  const known = [status?.last_ship.result?.pushed_sha ?? null, repository?.remote ?? null].filter(
    (sha) => sha !== null,
  )
  return known.some((sha) => sha !== from_sha)
}

/** Why Deploy+Verify would be refused: it would bring what was rolled back from. */
export const pinReason = ({ pin, hostName }: Facts): Reason => ({
  short: 'pinned by a rollback',
  whole: `${hostName} is pinned to ${shortCommit(pin?.sha ?? '')} by a rollback. Ship a fix, or press Deploy the newest again on the Deploy page.`,
})

/** The lane of deploys also holds what must not run beside one: enrolling a key, ending maintenance. */
export const isDeploy = ({ action }: Pick<Run, 'action'>): boolean =>
  action === 'deploy_and_verify' || action === 'rollback'

/** What a running deploy brings, for a headline. @param target what a deploy that is no rollback brings */
export function deployWords({ action, params }: Run, target: string | null): string {
  if (action === 'rollback')
    return typeof params['to'] === 'string'
      ? `Rolling back to ${shortCommit(params['to'])}`
      : 'Rolling back'
  return action === 'deploy_and_verify'
    ? `Deploying${target ? ` ${shortCommit(target)}` : ''}`
    : titleOfRun({ action })
}

export const titleOfRun = (run: Pick<Run, 'action'>): string => actionOf(run.action).title
export const startOf = (run: Run): number => Date.parse(run.started_at ?? run.requested_at)
export const commitsToShip = (overview: Overview): string =>
  count(overview.repository?.ahead ?? 0, 'commit')
