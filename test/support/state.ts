import type { Overview } from '#shared/bridge'
import { stateOf, type State } from '#shared/state/state'

/** What HQ would show now of what is known. */
export const stateNow = (overview: Overview): State =>
  stateOf({ overview, now: Date.now(), cut: false })
