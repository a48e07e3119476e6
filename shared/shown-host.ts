/** Which procedures act on the selected host. A page may be older than the selection: what it shows counts. */
import type { ProcedureName } from './bridge.ts'

/**
 * A call of these carries the address of the host that the page shows. It is refused when another one is selected by
 * then, in another window or by `hq`.
 */
export const actsOnHost = [
  'host.exec',
  'host.cancel',
  'connectors.connect',
  'connectors.finalize',
  'connectors.revoke',
  'ship_key.enrol',
] as const satisfies readonly ProcedureName[]
export type ActsOnHost = (typeof actsOnHost)[number]

/** Carries the address to `hq serve`. */
export const shownHostHeader = 'x-openclaw-shown-host'

const known: ReadonlySet<string> = new Set(actsOnHost)
export const doesActOnHost = (name: ProcedureName): name is ActsOnHost => known.has(name)
