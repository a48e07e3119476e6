/** What HQ shows, from what is known: one pure function that every place on screen reads. */
import type { DeployResult } from '../result.ts'
import { lastDeploy, unreadableDeploy } from './gates.ts'
import { broken, incomplete, unreadable } from './damage.ts'
import { deployHeadline, type PageHeadline } from './deploys.ts'
import { healthOf, type Health } from './health.ts'
import { marksOf, type Marks } from './marks.ts'
import type { NextAction } from './next.ts'
import { alarmed, done, pushed, stopped, unverified } from './progress.ts'
import { deploying, shipping, unreachable } from './reached.ts'
import type { Case, Headline, Situation } from './situation.ts'
import { standsOf, type Stand } from './stands.ts'
import { standingOf, type Known, type Standing } from './standing.ts'
import { atRest, noRepository, notEnrolled, toCommit, toShip } from './start.ts'

export interface State extends Omit<Standing, 'overview' | 'now' | 'cut'> {
  readonly headline: Headline
  readonly next: NextAction
  /** The button of the top bar that does the next action. */
  readonly primary: 'ship' | 'deploy' | null
  /** The newest deploy that ended and can be read; null also when the newest cannot. */
  readonly lastDeploy: DeployResult | null
  /** The newest deploy, when its result cannot be read. */
  readonly unreadableDeploy: string | null
  /** What the Deploy page says first. */
  readonly deployHeadline: PageHeadline
  readonly health: Health
  readonly marks: Marks
  /** What holds and what does not; empty while no proof is broken or unreadable. */
  readonly stands: readonly Stand[]
}

/** The first of these that applies is the situation. */
const cases: readonly Case[] = [
  unreachable,
  shipping,
  deploying,
  unreadable,
  broken,
  done,
  alarmed,
  incomplete,
  stopped,
  pushed,
  unverified,
  toShip,
  notEnrolled,
  toCommit,
  noRepository,
]

export function stateOf(known: Known): State {
  const { overview, now, cut, ...standing } = standingOf(known)
  const whole: Standing = { ...standing, overview, now, cut }
  const { headline, next } = situationOf(whole)
  const health = healthOf(whole)
  return {
    ...standing,
    headline,
    next,
    primary: primaryOf(next),
    lastDeploy: lastDeploy(overview.status),
    unreadableDeploy: unreadableDeploy(overview.status),
    deployHeadline: deployHeadline(whole),
    health,
    marks: marksOf(whole, headline),
    stands: standsOf(whole),
  }
}

function situationOf(standing: Standing): Situation {
  for (const each of cases) {
    const situation = each(standing)
    if (situation !== null) return situation
  }
  return atRest(standing)
}

function primaryOf({ id, button }: NextAction): State['primary'] {
  if (button?.press.state !== 'ready') return null
  if (id === 'ship') return 'ship'
  return id === 'deploy' ? 'deploy' : null
}
