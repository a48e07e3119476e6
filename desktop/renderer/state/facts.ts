import { actionOf } from '#shared/actions'
import type { Overview } from '#shared/bridge'
import { personsMaintenance } from '#shared/maintenance'
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

/**
 * Derives what the frame shows from the overview.
 * @param now milliseconds since the epoch
 * @param cut HQ itself does not answer
 */
export function factsOf(overview: Overview, now: number, cut: boolean): Facts {
  const { connection, repository, ship, status } = overview
  const stale = isStale(overview, now, cut)
  const known = {
    deploy: status?.active_runs.find(({ lane }) => lane === 'deploy') ?? null,
    ship:
      ship?.active === true
        ? { runId: ship.run_id, step: ship.step, since: startOfRun(ship.run_id) }
        : null,
    stale,
    hostName: connection.name ?? 'host',
    shipBlocked: reason(repository === null ? 'no repository is chosen' : repository.ship_blocked),
    deployBlocked: deployReason(overview, stale, cut),
    pin: pinOf(overview),
  }
  return { ...known, primary: primaryOf(overview, known) }
}

function isStale({ connection: { state, as_of } }: Overview, now: number, cut: boolean): boolean {
  if (cut || state === 'offline' || state === 'refused') return true
  const silent = as_of === null ? 0 : now - Date.parse(as_of)
  return state !== 'online' && silent > goneMs
}

function deployReason({ connection }: Overview, stale: boolean, cut: boolean): Reason | null {
  if (!stale) return reason(connection.deploy_blocked)
  const short = connection.state === 'refused' ? 'refused' : 'unreachable'
  return { short, whole: cut ? short : (connection.deploy_blocked ?? short) }
}

function pinOf(overview: Overview): Facts['pin'] {
  const pin = overview.status?.state?.pin ?? null
  return pin && { ...pin, holds: !movedOn(pin, overview) }
}

/** The button that leads on, when pressing it would not stop again the same way. */
function primaryOf(overview: Overview, facts: Omit<Facts, 'primary'>): Facts['primary'] {
  if (shipLeadsOn(overview, facts)) return 'ship'
  return deployLeadsOn(overview, facts) ? 'deploy' : null
}

function shipLeadsOn(
  { repository, ship }: Overview,
  { shipBlocked, ship: activeShip }: Omit<Facts, 'primary'>,
): boolean {
  const stopped =
    ship?.result?.overall === 'FAIL' &&
    ship.result.git_head === repository?.head &&
    ship.result.next_auto_fix !== 'ship_again'
  const free = shipBlocked === null && activeShip === null
  return free && repository !== null && repository.ahead > 0 && !stopped
}

function deployLeadsOn(
  { change, status }: Overview,
  { deployBlocked, deploy, pin }: Omit<Facts, 'primary'>,
): boolean {
  const stateOf = (name: string): string | undefined =>
    change.gates.find((gate) => gate.name === name)?.state
  const red = [stateOf('deployed'), stateOf('verified')].some(
    (state) => state === 'fail' || state === 'blocked',
  )
  const due = stateOf('pushed') === 'pass' && stateOf('deployed') !== 'pass' && !red
  const held = status !== null && personsMaintenance(status.maintenance) !== null
  return due && deployBlocked === null && deploy === null && pin?.holds !== true && !held
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
  whole:
    `${hostName} is pinned to ${shortCommit(pin?.sha ?? '')} by a rollback. ` +
    'Ship a fix, or press Deploy the newest again on the Deploy page.',
})

/** The lane of deploys also holds what must not run beside one: enrolling a key, ending maintenance. */
export const isDeploy = ({ action }: Pick<Run, 'action'>): boolean =>
  action === 'deploy_and_verify' || action === 'rollback'

/** What a running deploy brings, for a headline. @param target what a deploy other than a rollback brings */
export function deployTitle({ action, params }: Run, target: string | null): string {
  if (action === 'rollback')
    return typeof params['to'] === 'string'
      ? `Rolling back to ${shortCommit(params['to'])}`
      : 'Rolling back'
  if (action !== 'deploy_and_verify') return titleOfRun({ action })
  return target ? `Deploying ${shortCommit(target)}` : 'Deploying'
}

export const titleOfRun = (run: Pick<Run, 'action'>): string => actionOf(run.action).title
export const startOf = (run: Run): number => Date.parse(run.started_at ?? run.requested_at)
export const commitsToShip = (overview: Overview): string =>
  count(overview.repository?.ahead ?? 0, 'commit')
