/** What can be pressed now, and why not. Every button, the palette and the next action read this. */
import { actionOf, type ActionId } from '../actions.ts'
import type { Overview } from '../bridge.ts'
import { timeOfDay } from '../format.ts'
import { shortCommit } from '../ids.ts'
import type { Run } from '../run.ts'
import { refusesDeploys, type Maintenance } from './maintenance.ts'
import type { Reach } from './reach.ts'
import { isDeploy, runningDeploy, runningShip } from './running.ts'
import type { PinState } from './serving.ts'

/** A button: it can be pressed, or it leads to what runs, or it carries the reason why it cannot be pressed. */
export type Press =
  | { readonly state: 'ready' }
  | { readonly state: 'running'; readonly runId: string; readonly run: Run | null }
  | ({ readonly state: 'blocked' } & Reason)

export interface Reason {
  /** As a button carries it: *1 file is not committed*. */
  readonly short: string
  readonly whole: string
}

export interface Buttons {
  readonly ship: Press
  readonly deploy: Press
  /** Deploy+Verify that also ends the pin of a rollback. */
  readonly unpin: Press
  readonly rollback: Press
  readonly end_maintenance: Press
  /** Any other action of the host. */
  readonly of: (action: ActionId) => Press
}

interface Known {
  readonly overview: Overview
  readonly reach: Reach
  readonly maintenance: Maintenance
  readonly pin: PinState | null
}

const ready: Press = { state: 'ready' }
const blocked = (short: string, whole: string): Press => ({ state: 'blocked', short, whole })

export function buttonsOf(known: Known): Buttons {
  const unpin = laneButton(known, true)
  const held = known.pin?.holds === true ? pinned(known.reach, known.pin) : null
  return {
    ship: shipButton(known),
    deploy: unpin.state === 'ready' && held !== null ? held : unpin,
    unpin,
    rollback: unpin,
    end_maintenance: endMaintenance(known),
    of: (action) => actionButton(known, action),
  }
}

function shipButton({ overview, reach }: Known): Press {
  const running = runningShip(overview)
  if (reach.state === 'cut') return blocked('HQ does not answer', 'HQ itself does not answer.')
  if (running !== null) return { state: 'running', runId: running.runId, run: null }
  const { place, repository } = overview
  if (place === 'console') return blocked('only on the laptop', 'HQ on the laptop ships.')
  if (repository === null) return blocked('no repository is chosen', 'No repository is chosen.')
  const { ship_blocked } = repository
  return ship_blocked === null ? ready : { state: 'blocked', ...reasonOf(ship_blocked) }
}

/** A button of the lane of deploys. @param refused whether a person's maintenance refuses it */
function laneButton({ overview, reach, maintenance }: Known, refused: boolean): Press {
  const away = unreachable(reach, overview.connection.name !== null)
  if (away !== null) return away
  const run = runningDeploy(overview.status)
  if (run !== null) return { state: 'running', runId: run.run_id, run }
  return refused && refusesDeploys(maintenance) ? heldBy(reach, maintenance) : ready
}

function endMaintenance(known: Known): Press {
  const button = laneButton(known, false)
  return button.state === 'ready' && !known.maintenance.on
    ? blocked('it is off', 'Maintenance mode is off.')
    : button
}

function actionButton(known: Known, action: ActionId): Press {
  const { reach, maintenance, overview } = known
  const away = unreachable(reach, overview.connection.name !== null)
  if (away !== null) return away
  const { lane, in_maintenance, title } = actionOf(action)
  if (action === 'maintenance_clear') return endMaintenance(known)
  if (lane === 'deploy') return laneButton(known, isDeploy({ action }))
  const deploying = runningDeploy(overview.status) !== null
  if (maintenance.on && (in_maintenance === 'dod_only' || (in_maintenance === 'idle' && deploying)))
    return blocked('maintenance', `${title} does not run beside a deploy that holds maintenance.`)
  return ready
}

/** null: the host answers. @param named a host is enrolled */
function unreachable({ name, state, stale, detail }: Reach, named: boolean): Press | null {
  if (state === 'refused') return blocked('refused', detail ?? `${name} refused the connection.`)
  if (state === 'not_enrolled')
    return blocked(named ? 'no admin token' : 'no host is enrolled', detail ?? notEnrolled)
  if (stale) return blocked('unreachable', detail ?? `${name} does not answer.`)
  return state === 'connecting' ? blocked('connecting', `HQ is connecting to ${name}.`) : null
}

const notEnrolled = 'No host is enrolled.'

function heldBy({ name }: Reach, { held, by, since, reason }: Maintenance): Press {
  if (held === 'unreadable')
    return blocked(
      'maintenance',
      `The maintenance file of ${name} cannot be read, so nobody knows what it protects. ` +
        'End maintenance removes it.',
    )
  const when = since === null ? '' : ` since ${timeOfDay(since)}`
  const why = reason === null ? '' : `: ${reason.replace(/\.$/, '')}`
  return blocked(
    'maintenance',
    `${by ?? 'A person'} holds maintenance mode${when}${why}. Deploys wait until it is ended.`,
  )
}

/** It would bring what was rolled back from. */
const pinned = ({ name }: Reach, { sha }: PinState): Press =>
  blocked(
    'pinned by a rollback',
    `${name} is pinned to ${shortCommit(sha)} by a rollback. ` +
      'Ship a fix, or press Deploy the newest again on the Deploy page.',
  )

/** The first clause, as a button carries it: *1 file is not committed*. */
function reasonOf(text: string): Reason {
  const clause = (/^(?:[^:;.]|\.(?=\S))+/.exec(text)?.[0] ?? text).trim()
  const plain = /^[A-Z][a-z ]/.test(clause)
    ? clause.charAt(0).toLowerCase() + clause.slice(1)
    : clause
  return { short: plain, whole: text }
}

/** Why it cannot be pressed, in one sentence; null when it can. What runs already cannot be started beside itself. */
export function whyNot(press: Press): string | null {
  if (press.state === 'ready') return null
  if (press.state === 'blocked') return press.whole
  return `${press.run === null ? 'A ship' : actionOf(press.run.action).title} is running already.`
}
