/** How each enrolled host is reached: its tone and its words, for the host button, the page Hosts and its mark. */
import type { Overview } from '../bridge.ts'
import { span } from '../format.ts'
import type { HostConnection, HostSummary } from '../host-connection.ts'
import { diagnosisText } from './diagnosis.ts'
import type { Tone } from './tone.ts'

export interface HostStanding {
  readonly name: string
  readonly url: string
  readonly selected: boolean
  readonly tone: Tone
  /** In a word or two: *unreachable*. */
  readonly word: string
  /** Why, as a headline; null: nothing is wrong, or not known yet. */
  readonly why: string | null
}

type Reached = Pick<HostConnection, 'state' | 'as_of'> &
  Partial<Pick<HostConnection, 'name' | 'latency_ms' | 'tailnet' | 'diagnosis'>>

/** Tone and word of one connection. @param now milliseconds since the epoch */
export function reachedAs(reached: Reached, now: number): { tone: Tone; word: string } {
  const { state, as_of, diagnosis = null } = reached
  if (state === 'online')
    return { tone: diagnosis === null ? 'pass' : 'warn', word: pathOf(reached) }
  if (state === 'connecting') return { tone: 'wait', word: 'connecting' }
  // One that is named has an address; its token is missing or cannot be read.
  if (state === 'not_enrolled')
    return {
      tone: 'you',
      word: (reached.name ?? null) === null ? 'not enrolled' : 'no admin token',
    }
  if (diagnosis?.id === 'identity_changed') return { tone: 'fail', word: 'changed' }
  if (state === 'refused') return { tone: 'fail', word: 'refused' }
  const since = as_of === null ? '' : ` · ${span(now - Date.parse(as_of))}`
  return { tone: 'fail', word: `unreachable${since}` }
}

function pathOf({ latency_ms, tailnet }: Reached): string {
  const path = tailnet?.path ?? 'connected'
  return typeof latency_ms === 'number' ? `${path} · ${Math.round(latency_ms)} ms` : path
}

export const hostStandings = ({ hosts = [] }: Overview, now: number): HostStanding[] =>
  hosts.map((host) => ({
    name: host.name,
    url: host.url,
    selected: host.selected,
    ...reachedAs(host, now),
    why: whyOf(host),
  }))

const whyOf = ({ name, diagnosis }: HostSummary): string | null =>
  diagnosis === null ? null : diagnosisText(diagnosis, name).title
