/** Where each connector stands: what the host found last, and what this laptop is doing about it. */
import type { Overview } from '../bridge.ts'
import type { Connecting } from '../connect-flow.ts'
import type { ConnectorState } from '../connectors.ts'
import { connectorNames, connectors, type ConnectorName } from '../connectors/list.ts'
import { isRequired } from '../connectors/used.ts'
import { count } from '../format.ts'
import type { Tone } from './tone.ts'

export interface ConnectorStanding {
  readonly name: ConnectorName
  readonly title: string
  readonly tone: Tone
  /** The state in a word or two, for a chip. */
  readonly word: string
  readonly ready: boolean
  /** Phase 0 waits for it. */
  readonly required: boolean
  /** It goes no further without a person. */
  readonly needsYou: boolean
}

export interface ConnectorFacts {
  /** null: it was never checked. */
  readonly state: ConnectorState | null
  /** The host does without it, and may: it is optional. */
  readonly unused?: boolean
  /** When its secret ends by itself. */
  readonly expiresAt: string | null
  /** The attempt of this laptop to connect it. */
  readonly attempt: Connecting['state'] | null
}

/** From then on the end of a secret is announced, milliseconds. */
const announcedMs = 7 * 86_400_000
const dayMs = 86_400_000

/** @param now milliseconds since the epoch */
export function standingOfConnector(
  name: ConnectorName,
  facts: ConnectorFacts,
  now: number,
): ConnectorStanding {
  const { title } = connectors[name]
  return {
    name,
    title,
    ready: facts.state === 'ready',
    required: isRequired(name),
    ...(ofAttempt(facts) ?? ofState(facts, now)),
  }
}

type Shown = Pick<ConnectorStanding, 'tone' | 'word' | 'needsYou'>

function ofAttempt({ attempt, state, unused }: ConnectorFacts): Shown | null {
  if (attempt === 'you') return { tone: 'you', word: 'Needs you', needsYou: true }
  if (attempt === 'running') return { tone: 'running', word: 'Connecting', needsYou: false }
  // One that failed left the secret on the host as it was.
  if (attempt === null || state === 'ready') return null
  return { tone: 'fail', word: 'Not connected', needsYou: unused !== true }
}

const words: Readonly<Record<Exclude<ConnectorState, 'ready'>, Shown>> = {
  not_configured: { tone: 'you', word: 'Not connected', needsYou: true },
  invalid: { tone: 'fail', word: 'Invalid', needsYou: true },
  expired: { tone: 'fail', word: 'Expired', needsYou: true },
  unreachable: { tone: 'warn', word: 'Unreachable', needsYou: false },
}

function ofState({ state, expiresAt, unused }: ConnectorFacts, now: number): Shown {
  if (unused === true) return { tone: 'skip', word: 'Not set up', needsYou: false }
  if (state === null) return { tone: 'wait', word: 'Not checked', needsYou: false }
  if (state !== 'ready') return words[state]
  const left = expiresAt === null ? Infinity : Date.parse(expiresAt) - now
  if (left > announcedMs) return { tone: 'pass', word: 'Ready', needsYou: false }
  return { tone: 'warn', word: endsIn(left), needsYou: left <= dayMs }
}

function endsIn(leftMs: number): string {
  if (leftMs <= 0) return 'Expired'
  const days = Math.floor(leftMs / dayMs)
  return days < 1 ? 'Expires today' : `Expires in ${count(days, 'day')}`
}

/**
 * Every connector that the host uses or this laptop connects; empty when the host has never checked them, and this
 * laptop connects none.
 */
export function connectorsOf(
  { status, connecting = [] }: Overview,
  now: number,
): ConnectorStanding[] {
  const known = status?.connectors ?? null
  if (known === null && connecting.length === 0) return []
  return connectorNames.flatMap((name) => {
    const found = known?.connectors.find((each) => each.name === name)
    const attempt = connecting.find((each) => each.name === name)?.state ?? null
    // The host reports no connector that it does not use.
    const unused = found === undefined && !isRequired(name)
    if (unused && attempt === null) return []
    const facts = { state: found?.state ?? null, expiresAt: found?.expires_at ?? null, attempt }
    return standingOfConnector(name, { ...facts, unused }, now)
  })
}

/** *Kajabi expired*: the name and its state, in a line of text. */
export const inWords = ({ title, word }: Pick<ConnectorStanding, 'title' | 'word'>): string =>
  `${title} ${word.charAt(0).toLowerCase()}${word.slice(1)}`
