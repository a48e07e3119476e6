/** Whether the host answers, and how old what is known of it is. */
import type { Overview } from '../bridge.ts'
import { diagnosisText } from './diagnosis.ts'
import type { Diagnosis, HostConnection } from '../host-connection.ts'

export interface Reach {
  readonly name: string
  /** `cut`: HQ itself does not answer this page. */
  readonly state: HostConnection['state'] | 'cut'
  /** What is known of the host is from `asOf`, not from now. */
  readonly stale: boolean
  /** When the host was read last; null: never. */
  readonly asOf: string | null
  readonly detail: string | null
  /** Why it cannot be reached, or what is wrong although it answers; null: nothing, or not known yet. */
  readonly diagnosis: Diagnosis | null
  /** What a host that is not reached is, to follow *is*: *unreachable*. */
  readonly away: string
}

/** A host that has been silent for this long while it connects is stale, milliseconds. */
const goneMs = 15_000

/** @param now milliseconds since the epoch @param cut HQ itself does not answer */
export function reachOf({ connection }: Overview, now: number, cut: boolean): Reach {
  const { name, state, as_of, detail, diagnosis = null } = connection
  const known = cut ? null : diagnosis
  const silent = as_of === null ? 0 : now - Date.parse(as_of)
  const gone = state === 'offline' || state === 'refused'
  return {
    name: name ?? 'the host',
    state: cut ? 'cut' : state,
    stale: cut || gone || (state !== 'online' && silent > goneMs),
    asOf: as_of,
    detail: known === null ? detail : `${diagnosisText(known, name ?? 'the host').title}.`,
    diagnosis: known,
    away: awayAs(state, known),
  }
}

function awayAs(state: HostConnection['state'], diagnosis: Diagnosis | null): string {
  if (diagnosis?.id === 'identity_changed') return 'not the machine it was'
  return state === 'refused' ? 'refusing HQ' : 'unreachable'
}
