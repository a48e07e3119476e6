// Networks: who reaches their members without a published port, and whose addresses they take.
import ipaddr from 'ipaddr.js'
import type { JudgedKey } from './keys.ts'
import type { ComposeNetwork } from './model.ts'
import type { EntryCase, EntryRule } from './rule.ts'

type NetworkCase = EntryCase<ComposeNetwork>
const inHostNetwork = 'uses the network of the host, where everything it listens on is open'

/** Options of Docker's bridge that open nothing to others than this machine. */
const harmlessOptions: ReadonlySet<string> = new Set([
  'com.docker.network.bridge.enable_icc',
  'com.docker.network.bridge.enable_ip_masquerade',
  'com.docker.network.bridge.inhibit_ipv4',
  'com.docker.network.bridge.host_binding_ipv4',
  'com.docker.network.container_iface_prefix',
  'com.docker.network.driver.mtu',
  'com.docker.network.enable_ipv4',
  'com.docker.network.enable_ipv6',
  'com.docker.network.host_ipv4',
  'com.docker.network.host_ipv6',
])
const gatewayModes: ReadonlySet<string> = new Set(['nat', 'isolated'])
/** Docker's default bridge, which an external network may be. */
const defaultBridge: ReadonlySet<string> = new Set([
  'com.docker.network.bridge.default_bridge=true',
  'com.docker.network.bridge.name=docker0',
])
const isHarmless = (option: string, value: string): boolean =>
  harmlessOptions.has(option) ||
  defaultBridge.has(`${option}=${value}`) ||
  (/^com\.docker\.network\.bridge\.gateway_mode_ipv[46]$/.test(option) && gatewayModes.has(value))

function judgeOptions({ name, entry: { driver_opts }, report }: NetworkCase): void {
  for (const [option, value] of Object.entries(driver_opts)) {
    if (isHarmless(option, String(value))) continue
    const why = option.startsWith('com.docker.network.bridge.gateway_mode_')
      ? 'can be reached without a published port through'
      : 'can be reached in a way that HQ does not know through'
    report({
      code: 'lan_network',
      at: 'driver_opts',
      subject: `${option}=${String(value)}`,
      detail: `${why} the network ${name} (${option}: ${String(value)})`,
    })
  }
}

const ownDrivers: ReadonlySet<string> = new Set(['', 'default', 'bridge', 'none', 'null'])
/** Drivers that connect their members with other machines. */
const lanDrivers: ReadonlySet<string> = new Set(['macvlan', 'ipvlan', 'overlay'])

function judgeDriver({ name, entry: { driver }, report }: NetworkCase): void {
  if (ownDrivers.has(driver)) return
  const at = 'driver'
  if (driver === 'host')
    report({ code: 'host_network', at, subject: 'host', detail: inHostNetwork })
  else if (lanDrivers.has(driver))
    report({
      code: 'lan_network',
      at,
      subject: driver,
      detail: `is attached to the local network by the ${driver} network ${name}`,
    })
  else
    report({
      code: 'foreign_driver',
      at,
      subject: driver,
      detail: `has its network ${name} made by the driver ${driver}, a program of the host`,
    })
}

/** Addresses that only private networks have (RFC 1918, RFC 2544, RFC 4193); those of a tailnet are not among them. */
const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '198.18.0.0/15', 'fc00::/7']
const tailnetRange = 'fd7a:115c:a1e0::/48'

const within = (subnet: string, range: string): boolean => {
  const [[address, bits], [network, length]] = [ipaddr.parseCIDR(subnet), ipaddr.parseCIDR(range)]
  return address.kind() === network.kind() && bits >= length && address.match(network, length)
}
const isPrivateSubnet = (subnet: string): boolean =>
  ipaddr.isValidCIDR(subnet) &&
  privateRanges.some((range) => within(subnet, range)) &&
  !within(subnet, tailnetRange) &&
  !(subnet.includes(':') && within(tailnetRange, subnet))

export const ipamRules: Record<JudgedKey<'ipam'>, EntryRule<ComposeNetwork>> = {
  driver: ({ name, entry: { ipam }, report }) => {
    const driver = ipam?.driver ?? ''
    if (!['', 'default', 'null'].includes(driver))
      report({
        code: 'foreign_driver',
        at: 'ipam/driver',
        subject: driver,
        detail: `gets the addresses of its network ${name} from the driver ${driver}`,
      })
  },
  options: ({ name, entry: { ipam }, report }) => {
    for (const option of Object.keys(ipam?.options ?? {}))
      report({
        code: 'unknown_setting',
        at: 'ipam/options',
        subject: `ipam/options/${option}`,
        detail: `gets the addresses of its network ${name} with the option ${option}, which HQ does not know`,
      })
  },
  config: ({ name, entry: { ipam }, report }) => {
    for (const [i, { subnet }] of (ipam?.config ?? []).entries())
      if (subnet !== '' && !isPrivateSubnet(subnet))
        report({
          code: 'lan_network',
          at: `ipam/config/${i}/subnet`,
          subject: subnet,
          detail: `makes ${subnet} the addresses of its network ${name}, so the host no longer reaches others there`,
        })
  },
}

export const networkRules: Record<JudgedKey<'network'>, EntryRule<ComposeNetwork>> = {
  driver: judgeDriver,
  driver_opts: judgeOptions,
  // The host's own network by its name.
  name: ({ entry, report }) => {
    if (entry.name === 'host' && 'external' in entry && entry.driver !== 'host')
      report({ code: 'host_network', at: 'name', subject: 'host', detail: inHostNetwork })
  },
}
