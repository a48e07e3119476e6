/** The client of an enrolled host. */
import type { HostdAddress } from '#shared/hostd-client/address'
import { HostdClient } from '#shared/hostd-client/client'
import type { HostConnection } from '#shared/host-connection'

/** A host that requests can go to: its address was checked by `hostOrigin` and its token is set. */
export interface HostTarget {
  readonly name: string
  readonly origin: string
  readonly token: string
}

/** One enrolled host: the same name and address for as long as it is held, whichever host is selected meanwhile. */
export interface OneHost {
  readonly host: { readonly name: string; readonly url: string }
  readonly client: HostdClient
  view(): HostConnection
  /** Fires when it answers again after it was away. */
  cameBack(): AbortSignal
}

/** @param target called for each request, so that a changed host or token counts at once */
export const hostClient = (target: () => Promise<HostTarget>): HostdClient =>
  new HostdClient(async () => addressOf(await target()))

const addressOf = ({ name, origin, token }: HostTarget): HostdAddress => ({
  base: origin,
  token,
  caller: {
    host: name,
    sides: 'HQ and hostd',
    unreachable: (reason) => `${name} cannot be reached: ${reason}.`,
    redirectAdvice: 'Enter the address of hostd itself in Settings.',
    behindProxy: true,
  },
})
