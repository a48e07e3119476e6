/** Is the machine that answers the one that was pinned? Until the operator agrees to a change, nothing is sent to it. */
import type { EnrolledHost, HostPin } from '#shared/config'
import { Problem } from '#shared/errors'
import type { IdentityChange } from '#shared/host-connection'
import { isLoopbackHostname } from '#shared/net/hostnames'
import {
  hostnameOf,
  isTailnetName,
  machineAt,
  machineWith,
  type Machine,
  type TailnetReading,
} from '../tailnet/reading.ts'

export interface Identity {
  /** null: the tailnet lists none under this address. */
  readonly machine: Machine | null
  readonly change: IdentityChange | null
  /** Whether the host is reached through the tailnet at all. */
  readonly inTailnet: boolean
  /** A machine is pinned, and the tailnet says nothing of it that can be compared. */
  readonly unverified: boolean
}

/** Without Tailscale no other machine of the tailnet answers: the certificate of the host says who does. */
const withoutTailnet: ReadonlySet<TailnetReading['state']> = new Set(['not_installed', 'stopped'])

/** A host on this machine is not looked up in the tailnet, unless its settings say that it is reached there. */
export const mayBeInTailnet = ({ url, pin, tls }: EnrolledHost): boolean =>
  pin !== undefined || tls === false || !isLoopbackHostname(new URL(url).hostname)

/** @param reading of the tailnet now; null: it was not read */
export function identityOf(host: EnrolledHost, reading: TailnetReading | null): Identity {
  const { pin, tls, url } = host
  const expected = pin !== undefined || tls === false || isTailnetName(hostnameOf(url))
  if (reading?.state !== 'running')
    return {
      machine: null,
      change: null,
      inTailnet: expected,
      unverified: pin !== undefined && !(reading !== null && withoutTailnet.has(reading.state)),
    }
  const named = machineAt(reading, hostnameOf(url))
  const pinned = pin === undefined ? null : machineWith(reading, pin.node_key)
  const machine = named ?? pinned
  return {
    machine,
    change: pin === undefined || machine === null ? null : changeOf(pin, machine, pinned),
    inTailnet: expected || machine !== null,
    unverified: pin !== undefined && machine === null,
  }
}

function changeOf(pin: HostPin, machine: Machine, pinned: Machine | null): IdentityChange | null {
  const seen = { node_key: machine.nodeKey, tls_name: machine.dnsName }
  const common = { pinned: pin, seen, pinned_now: pinned?.dnsName ?? null }
  if (machine.nodeKey !== pin.node_key) return { kind: 'key', ...common }
  return machine.dnsName === pin.tls_name ? null : { kind: 'name', ...common }
}

/** @throws {Problem} `host_changed` when another machine answers, or the same one under another name */
export function refuseChanged({ name }: EnrolledHost, { change }: Identity): void {
  if (change === null) return
  const what =
    change.kind === 'key'
      ? 'another machine answers under its name, or it was set up again'
      : 'it has another name in the tailnet now'
  throw new Problem(
    'host_changed',
    `${name} is not as HQ has pinned it: ${what}. Nothing was sent to it, and no token.`,
  )
}

/**
 * The token goes only to a machine that the tailnet names: always without TLS, and with a pin to the pinned one.
 * @throws {Problem} `hostd_unreachable` when the tailnet does not say now who answers
 */
export function requireVerified(
  { name, tls }: EnrolledHost,
  { machine, unverified }: Identity,
): void {
  if (unverified || (tls === false && machine === null))
    throw new Problem(
      'hostd_unreachable',
      `${name} cannot be reached: the tailnet does not say who answers, so no token was sent.`,
    )
}
