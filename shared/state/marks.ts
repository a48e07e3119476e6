/** The marks of the navigation: what needs attention on which page. */
import { count } from '../format.ts'
import { inWords } from './connectors.ts'
import type { Gate } from './gates.ts'
import { toneOf } from './progress.ts'
import type { Headline } from './situation.ts'
import type { Standing } from './standing.ts'
import type { Tone } from './tone.ts'

export interface PageMark {
  readonly tone: Tone
  readonly number: number | null
  /** The mark in words, for screen readers. */
  readonly text: string
}

export interface Marks {
  readonly overview: PageMark | null
  readonly ship: PageMark | null
  readonly deploy: PageMark | null
  readonly runs: PageMark | null
  readonly proofs: PageMark | null
  readonly doctor: PageMark | null
  readonly connectors: PageMark | null
  readonly hosts: PageMark | null
}

export const marksOf = (standing: Standing, headline: Headline): Marks => ({
  overview: overviewMark(headline),
  ship: shipMark(standing),
  deploy: deployMark(standing),
  runs: runsMark(standing),
  proofs: proofsMark(standing),
  doctor: doctorMark(standing),
  connectors: connectorsMark(standing),
  hosts: hostsMark(standing),
})

/** Only what is red: everything else is said by the page that it is about. */
const overviewMark = ({ tone, title }: Headline): PageMark | null =>
  tone === 'fail' ? { tone, number: null, text: title } : null

/** Where a run stopped: broken, refused by a rule, or ended by a person or the machine. */
function stopMark(gate: Gate): PageMark {
  const tone = toneOf(gate)
  const ended = tone === 'skip' || tone === 'warn' ? gate.detail : null
  return { tone, number: null, text: ended ?? (tone === 'blocked' ? 'blocked' : 'failed') }
}

/** A ship that runs; else where the newest change stopped on the laptop; else how much there is to ship. */
function shipMark({ ship, change, overview: { repository } }: Standing): PageMark | null {
  if (ship !== null) return { tone: 'running', number: null, text: 'running' }
  const stopped = change.gates
    .slice(0, 3)
    .find(({ state }) => state === 'fail' || state === 'blocked')
  if (stopped !== undefined && repository !== null) return stopMark(stopped)
  const ahead = repository?.ahead ?? 0
  if (ahead === 0) return null
  return { tone: 'wait', number: ahead, text: `${count(ahead, 'commit')} to ship` }
}

/** What serves is not green, or the newest change stopped on the host. */
function deployMark({ deploy, change, serving, reach }: Standing): PageMark | null {
  if (deploy !== null && !reach.stale) return { tone: 'running', number: null, text: 'running' }
  const { standing } = serving
  if (standing === 'broken' || standing === 'unreadable')
    return { tone: 'fail', number: null, text: `proof ${standing}` }
  const stopped = change.gates
    .slice(3, 5)
    .find(({ state }) => state === 'fail' || state === 'blocked')
  if (stopped !== undefined) return stopMark(stopped)
  return standing === 'unverified' ? { tone: 'warn', number: null, text: 'not verified' } : null
}

/** How many runs are active, while the host answers. */
function runsMark({ overview: { status }, reach }: Standing): PageMark | null {
  const number = status?.active_runs.length ?? 0
  if (number === 0 || reach.stale) return null
  return { tone: 'running', number, text: `${number} running` }
}

/** Proofs that are broken or unreadable, and what differs from what HQ has witnessed. */
function proofsMark({ troubles, overview }: Standing): PageMark | null {
  const alarms = overview.proof_alarms?.length ?? 0
  if (troubles.length === 0 && alarms === 0) return null
  const words = [
    troubles.length === 0 ? null : count(troubles.length, 'broken proof'),
    alarms === 0 ? null : count(alarms, 'alarm'),
  ].filter((word) => word !== null)
  return { tone: 'fail', number: troubles.length + alarms, text: words.join(', ') }
}

/** How many checks of the last doctor failed, else how many warned. */
function doctorMark({ overview: { status } }: Standing): PageMark | null {
  const checks = status?.last_doctor?.checks ?? []
  const failing = checks.filter((check) => check.status === 'FAIL').length
  if (failing > 0) return { tone: 'fail', number: failing, text: `${failing} failing` }
  const warnings = checks.filter((check) => check.status === 'WARN').length
  if (warnings === 0) return null
  return { tone: 'warn', number: warnings, text: count(warnings, 'warning') }
}

/** A connector that waits for a person; else one that is being connected, or ends soon. */
function connectorsMark({ connectors }: Standing): PageMark | null {
  const waiting = connectors.filter(({ needsYou }) => needsYou)
  if (waiting.length > 0)
    return { tone: 'you', number: null, text: waiting.map(inWords).join(', ') }
  const shown = ['running', 'warn'] as const
  const [tone] = shown.filter((each) => connectors.some((connector) => connector.tone === each))
  if (tone === undefined) return null
  const text = connectors.filter((connector) => connector.tone === tone).map(inWords)
  return { tone, number: null, text: text.join(', ') }
}

/** How many hosts cannot be reached, else how many are reached badly. */
function hostsMark({ hosts }: Standing): PageMark | null {
  const away = hosts.filter(({ tone }) => tone === 'fail').length
  if (away > 0) return { tone: 'fail', number: away, text: `${away} unreachable` }
  const poor = hosts.filter(({ tone }) => tone === 'warn').length
  return poor === 0 ? null : { tone: 'warn', number: poor, text: count(poor, 'warning') }
}
