/** The client of an enrolled host. */
import type { HostdAddress } from '#shared/hostd-client/address'
import { HostdClient } from '#shared/hostd-client/client'

/** A host that requests can go to: its address was checked by `hostOrigin` and its token is set. */
export interface HostTarget {
  readonly name: string
  readonly origin: string
  readonly token: string
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
