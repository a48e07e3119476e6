// What can reach a service: its ports, its networks, the namespaces that it shares.
import { endpointName, isPrivateAddress } from '#ops/platform/net/addresses'
import type { JudgedKey } from './keys.ts'
import type { ServiceCase, ServiceRule } from './rule.ts'

/** Most ports one entry may open before it is judged by its ends alone. */
const rangeLimit = 1024

/** `8000-8010` and `8000`; an empty text is a port that the daemon chooses. */
function portsOf(published: string, target: number): number[] {
  if (published === '') return [target]
  const [first = '', last = first] = published.split('-')
  const [from, to] = [Number(first), Number(last)]
  if (!Number.isInteger(from) || !Number.isInteger(to) || to < from) return [target]
  return to - from > rangeLimit
    ? [from, to]
    : Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function judgePorts({ service: { ports }, report }: ServiceCase): void {
  for (const [i, { host_ip, published, target, protocol }] of ports.entries()) {
    if (isPrivateAddress(host_ip)) continue
    const address = host_ip === '' ? '0.0.0.0' : host_ip
    for (const number of portsOf(published, target)) {
      const where = published === '' ? 'a port the daemon chooses' : String(number)
      const why =
        host_ip === '' ? 'names no address, which means every one' : `is bound to ${host_ip}`
      report({
        code: 'public_publish',
        at: `ports/${i}`,
        subject: endpointName(protocol, address, published === '' ? 'any' : number),
        detail: `publishes ${protocol} ${where}, which ${why}; only loopback and tailnet addresses are allowed`,
        port: { protocol, number },
      })
    }
  }
}

const ownNetwork: ReadonlySet<string> = new Set(['', 'none', 'bridge', 'default'])

function judgeNetworkMode({ service: { network_mode }, report }: ServiceCase): void {
  if (ownNetwork.has(network_mode) || network_mode.startsWith('service:')) return
  const at = 'network_mode'
  if (network_mode === 'host')
    report({
      code: 'host_network',
      at,
      subject: 'host',
      detail: 'uses the network of the host, where everything it listens on is open',
    })
  else
    report({
      code: 'container_network',
      at,
      subject: network_mode,
      detail: network_mode.startsWith('container:')
        ? 'uses the network of a container outside this file'
        : `uses the network ${network_mode} outside this file`,
    })
}

/** Options of one connection to a network that stay inside the container. */
const harmlessAttachment: ReadonlySet<string> = new Set(['com.docker.network.endpoint.ifname'])

function judgeAttachments({ service: { networks }, report }: ServiceCase): void {
  for (const [name, attachment] of Object.entries(networks))
    for (const [option, value] of Object.entries(attachment?.driver_opts ?? {}))
      if (!harmlessAttachment.has(option))
        report({
          code: 'lan_network',
          at: `networks/${name}/driver_opts`,
          subject: `${option}=${String(value)}`,
          detail: `joins the network ${name} with the option ${option}, which HQ does not know`,
        })
}

/** Values besides none at all with which a service keeps a namespace to itself or to this file. */
const ownNamespace = {
  pid: [],
  ipc: ['private', 'none', 'shareable'],
  uts: [],
  userns_mode: [],
  cgroup: ['private'],
} as const

type Namespace = keyof typeof ownNamespace

const namespaceRule =
  (name: Namespace): ServiceRule =>
  ({ service, report }) => {
    const shared = service[name]
    const own: readonly string[] = ownNamespace[name]
    if (shared === '' || own.includes(shared) || shared.startsWith('service:')) return
    report({
      code: 'host_namespace',
      at: name,
      subject: `${name}:${shared}`,
      detail: `shares the ${name} namespace of ${ownerOf(shared)}`,
    })
  }

function ownerOf(shared: string): string {
  if (shared === 'host') return 'the host'
  return shared.startsWith('container:') ? 'a container outside this file' : shared
}

export const reachRules = {
  ports: judgePorts,
  network_mode: judgeNetworkMode,
  networks: judgeAttachments,
  pid: namespaceRule('pid'),
  ipc: namespaceRule('ipc'),
  uts: namespaceRule('uts'),
  userns_mode: namespaceRule('userns_mode'),
  cgroup: namespaceRule('cgroup'),
} satisfies Partial<Record<JudgedKey<'service'>, ServiceRule>>
