import ipaddr from 'ipaddr.js'
import type { Exposure } from './exposure.ts'
import { endpointName, isPrivateAddress } from './addresses.ts'

/** A rule of the packet filter that sends what arrives somewhere else. */
export interface NatRule {
  /** Table and chain it stands in, for the message. */
  readonly table: string
  readonly chain: string
  /** What it does: `DNAT`, `REDIRECT`, `TPROXY`, `NETMAP`; or the chain it goes on with. */
  readonly action:
    | { readonly kind: 'send'; readonly how: string }
    | { readonly kind: 'go'; readonly chain: string }
  /** Interfaces, destinations and sources it is limited to; null: not limited, or only to what is *not* one. */
  readonly interfaces: readonly string[] | null
  readonly destinations: readonly string[] | null
  readonly sources: readonly string[] | null
  readonly protocol: string | null
  /** First and last port; null: every port. */
  readonly ports: readonly (readonly [number, number])[] | null
  readonly text: string
}

export interface NatTable {
  readonly rules: readonly NatRule[]
  /** Chains through which packets from outside come in, as `table/chain`. */
  readonly entries: readonly string[]
}

/** Interfaces behind which there is only this machine, its containers, or the tailnet. */
const isInside = (name: string): boolean =>
  name === 'lo' ||
  /^tailscale\d*\+?\*?$/.test(name) ||
  name === 'docker0' ||
  /^br-[0-9a-f]{12}$/.test(name)

/** Loopback or tailnet as a whole network? */
export function isPrivateNetwork(text: string): boolean {
  if (ipaddr.isValid(text)) return isPrivateAddress(text)
  if (!ipaddr.isValidCIDR(text)) return false
  const [address, bits] = ipaddr.parseCIDR(text)
  if (!isPrivateAddress(address.toString())) return false
  // 127.0.0.0/8, ::1/128; 100.64.0.0/10 and fd7a:115c:a1e0::/48 of the tailnet.
  const smallest = { ipv4: { loopback: 8, tailnet: 10 }, ipv6: { loopback: 128, tailnet: 48 } }
  return bits >= smallest[address.kind()][address.range() === 'loopback' ? 'loopback' : 'tailnet']
}

/** Can only this machine, its containers or the tailnet meet the rule? */
const isClosed = ({ interfaces, destinations, sources }: NatRule): boolean =>
  (interfaces?.every(isInside) ?? false) ||
  (destinations?.every(isPrivateNetwork) ?? false) ||
  (sources?.every(isPrivateNetwork) ?? false)

/** Chains that packets from outside can reach, the limits of jumps taken into account. */
function reachable({ rules, entries }: NatTable): Set<string> {
  const seen = new Set(entries)
  for (let grown = true; grown;) {
    grown = false
    for (const rule of rules) {
      if (rule.action.kind !== 'go' || !seen.has(`${rule.table}/${rule.chain}`) || isClosed(rule))
        continue
      const next = `${rule.table}/${rule.action.chain}`
      if (!seen.has(next)) {
        seen.add(next)
        grown = true
      }
    }
  }
  return seen
}

/** Ports of this machine that the packet filter opens by sending them on, to any address. */
export function natExposures(table: NatTable): Exposure[] {
  const chains = reachable(table)
  return table.rules.flatMap((rule) => {
    if (rule.action.kind !== 'send' || !chains.has(`${rule.table}/${rule.chain}`) || isClosed(rule))
      return []
    const { how } = rule.action
    const to = rule.destinations === null ? '0.0.0.0' : rule.destinations.join(',')
    const protocol = rule.protocol ?? 'any protocol'
    const make = (subject: string, port?: Exposure['port']): Exposure => ({
      code: 'public_nat',
      service: `${rule.table} ${rule.chain}`,
      subject,
      detail: `${how} forwards what arrives at ${subject}`,
      pointer: rule.text,
      ...(port ? { port } : {}),
    })
    if (rule.ports === null) return [make(`${protocol} ${to}, every port`)]
    return rule.ports.map(([first, last]) =>
      first === last
        ? make(endpointName(protocol, to, first), { protocol, number: first })
        : make(endpointName(protocol, to, `${first}-${last}`)),
    )
  })
}
