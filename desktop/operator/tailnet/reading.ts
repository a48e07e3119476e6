/** What Tailscale on this laptop says, as far as HQ needs it to reach its hosts. */
import { nodeName, type TailnetNode, type TailscaleStatus } from '#shared/tailnet/status'
import type { TailnetState, TailscaleFailure } from '#shared/tailnet/state'
import type { Tailnet } from '#ops/platform/tailnet/client'

/** One machine of the tailnet. */
export interface Machine {
  readonly nodeKey: string
  /** Name in the tailnet, without the dot at its end; empty without MagicDNS. */
  readonly dnsName: string
  readonly hostName: string
  readonly addresses: readonly string[]
  readonly os: string
  readonly online: boolean
  /** null for a key that does not expire. */
  readonly keyExpires: string | null
  readonly keyExpired: boolean
  /** null while nobody knows: there was no traffic. */
  readonly path: 'direct' | 'relayed' | null
  readonly relay: string | null
  readonly lastSeen: string | null
}

export interface RunningTailnet {
  readonly state: 'running'
  readonly version: string
  readonly self: Machine
  readonly peers: readonly Machine[]
  /** The control server is Tailscale's own, so its pages apply. */
  readonly ownService: boolean
}

export type TailnetReading =
  RunningTailnet | { readonly state: Exclude<TailnetState, 'running'> | TailscaleFailure }

export function readingOf(tailnet: Tailnet): TailnetReading {
  if (tailnet.kind !== 'running' || tailnet.status.Self === null)
    return { state: tailnet.kind === 'running' ? 'starting' : tailnet.kind }
  const { status } = tailnet
  return {
    state: 'running',
    version: status.Version.split('-')[0] ?? status.Version,
    self: machineOf(tailnet.status.Self),
    peers: Object.values(status.Peer).map(machineOf),
    ownService: isOwnService(status),
  }
}

const isOwnService = ({ MagicDNSSuffix, CurrentTailnet }: TailscaleStatus): boolean =>
  (CurrentTailnet?.MagicDNSSuffix ?? MagicDNSSuffix).endsWith('.ts.net')

const precise = (time: string | null): string | null =>
  time === null ? null : new Date(time).toISOString()

const machineOf = (node: TailnetNode): Machine => ({
  nodeKey: node.PublicKey,
  dnsName: nodeName(node),
  hostName: node.HostName,
  addresses: node.TailscaleIPs,
  os: node.OS,
  online: node.Online,
  keyExpires: precise(node.KeyExpiry),
  keyExpired: node.Expired || (node.KeyExpiry !== null && Date.parse(node.KeyExpiry) < Date.now()),
  path: pathTo(node),
  relay: node.Relay === '' ? null : node.Relay,
  lastSeen: precise(node.LastSeen),
})

function pathTo({ CurAddr, Active, Relay }: TailnetNode): Machine['path'] {
  if (CurAddr !== '') return 'direct'
  return Active && Relay !== '' ? 'relayed' : null
}

/** The host of a web address, as a name or an address of the tailnet. */
export const hostnameOf = (url: string): string =>
  new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase()

/** Addresses that only a tailnet has, and names of Tailscale's own service. */
export const isTailnetName = (hostname: string): boolean =>
  hostname.endsWith('.ts.net') ||
  hostname.startsWith('fd7a:115c:a1e0:') ||
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d{1,3}\.\d{1,3}$/.test(hostname)

/** The machine that a host name means: by its whole name, its first label, or its address. */
export function machineAt({ self, peers }: RunningTailnet, hostname: string): Machine | null {
  const matches = ({ dnsName, addresses }: Machine): boolean =>
    dnsName === hostname ||
    addresses.includes(hostname) ||
    (!hostname.includes('.') && dnsName !== '' && dnsName.split('.')[0] === hostname)
  return [self, ...peers].find(matches) ?? null
}

/** The machine that has this node key. */
export const machineWith = ({ self, peers }: RunningTailnet, nodeKey: string): Machine | null =>
  [self, ...peers].find((machine) => machine.nodeKey === nodeKey) ?? null
