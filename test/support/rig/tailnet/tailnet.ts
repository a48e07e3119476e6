import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tailnetPorts } from '#shared/tailnet/ports'
import { merged, type Place } from '../machine.ts'
import { until } from '../patience.ts'
import { bootRig, type Rig } from '../rig.ts'
import { domain, people, startControl, type AccessRule, type Control } from './control.ts'
import { makeNamespace } from './namespace.ts'
import { looseNode, nodeOf, type LooseNode, type TailnetNode } from './node.ts'
import { tailnetPrograms } from './programs.ts'
import { makeSwitch, type Switch } from './switch.ts'

/** Environment of an installation that publishes hostd and the console without TLS: headscale has no certificates. */
export const withoutTls = { OPENCLAW_RIG_TAILNET_HTTP: '1' } as const

/**
 * A tailnet with a whole host in it. Everyone is on one local network that leads nowhere; this side is on it too, and
 * is not in the tailnet.
 */
export interface Tailnet {
  /** The host, a booted machine with tailscaled as a unit. */
  readonly rig: Rig
  readonly network: Switch
  readonly control: Control
  readonly aiops: TailnetNode
  /** The operator's, who may reach all of the host. */
  readonly laptop: LooseNode
  /** A member that may reach nothing. */
  readonly denied: LooseNode
  /** A member that may reach the port of hostd, and nothing else. */
  readonly onePort: LooseNode
  /** Folder of the programs it is made with. */
  readonly programs: string
  /** Full name of the host in the tailnet. */
  readonly dnsName: string
  /** Takes everything away. */
  down(): Promise<void>
}

/** Its own range for the local network: tailscaled drops what comes from the tailnet's range by another way. */
const range = '10.98'
const numbers = { control: 10, laptop: 11, denied: 12, 'one-port': 13 } as const
const host = 'aiops-1'

/** Who may reach what when the tailnet is made. */
export const usualRules: readonly AccessRule[] = [
  { action: 'accept', src: [people.operator], dst: [`${people.owner}:*`] },
  { action: 'accept', src: ['visitor@'], dst: [`${people.owner}:${tailnetPorts.hostdPlain}`] },
]

/** As Tailscale's own package has it. */
const unit = `[Unit]
Description=Tailscale node agent
Wants=network-pre.target
After=network-pre.target

[Service]
Environment=SSL_CERT_FILE=/etc/ssl/rig-authority.pem
ExecStart=/usr/sbin/tailscaled --state=/var/lib/tailscale/tailscaled.state \\
  --socket=/run/tailscale/tailscaled.sock --port=41641 --no-logs-no-support
ExecStopPost=/usr/sbin/tailscaled --cleanup
Restart=on-failure
RuntimeDirectory=tailscale
RuntimeDirectoryMode=0755
StateDirectory=tailscale
StateDirectoryMode=0700
Type=notify

[Install]
WantedBy=multi-user.target
`

function addTailscale(place: Place, ca: string): void {
  const tree = merged(place)
  const units = join(tree, 'etc/systemd/system')
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true })
  writeFileSync(join(units, 'tailscaled.service'), unit)
  symlinkSync('../tailscaled.service', join(units, 'multi-user.target.wants/tailscaled.service'))
  copyFileSync(ca, join(tree, 'etc/ssl/rig-authority.pem'))
  writeFileSync(join(tree, 'etc/resolv.conf'), '')
}

type Loose = Pick<Tailnet, 'network' | 'control' | 'laptop' | 'denied' | 'onePort'>

/** All but the machine: switch, control server, and the nodes that are processes of this side. */
async function makeNodes(place: Place, programs: string): Promise<Loose> {
  const network = await makeSwitch(place, programs)
  const at = async (name: keyof typeof numbers) => {
    const namespace = await makeNamespace(place, name, programs)
    await network.plug(namespace, numbers[name])
    return namespace
  }
  const [server, ...computers] = await Promise.all([
    at('control'),
    at('laptop'),
    at('denied'),
    at('one-port'),
  ])
  const control = await startControl(server, network.address(numbers.control).v4, usualRules)
  const [laptop, denied, onePort] = computers.map((each) => looseNode(each, () => control)) as [
    LooseNode,
    LooseNode,
    LooseNode,
  ]
  return { network, control, laptop, denied, onePort }
}

const joinAs = async (node: LooseNode, control: Control, person: keyof typeof people) => {
  await node.start()
  await node.join(control, person)
}

/** Boots a fresh host in a fresh tailnet; what was left of one at its place is taken away first. */
export async function bootTailnet(say: (text: string) => void = () => undefined): Promise<Tailnet> {
  const programs = await tailnetPrograms(say)
  const made: { nodes?: Loose } = {}
  const rig = await bootRig({
    say,
    range,
    prepare: async (place) => {
      const nodes = await makeNodes(place, programs)
      made.nodes = nodes
      addTailscale(place, nodes.control.authority.ca)
      return {
        binds: {
          '/usr/bin/tailscale': join(programs, 'tailscale'),
          '/usr/sbin/tailscaled': join(programs, 'tailscaled'),
        },
        devices: ['/dev/net/tun'],
        connect: async (link) => await nodes.network.plugMachine(link),
      }
    },
  })
  try {
    const { nodes } = made
    if (!nodes) throw new Error('the machine was booted without its tailnet')
    const { control, laptop, denied, onePort } = nodes
    const aiops = nodeOf(host, async (argv, options) => await rig.exec(argv, options))
    await Promise.all([
      aiops.join(control, 'owner'),
      joinAs(laptop, control, 'operator'),
      joinAs(denied, control, 'stranger'),
      joinAs(onePort, control, 'visitor'),
    ])
    await until(`the laptop to see ${host}`, async () =>
      Object.values((await laptop.status()).Peer ?? {}).some(
        ({ HostName, Online }) => HostName === host && Online,
      ),
    )
    return {
      ...nodes,
      rig,
      aiops,
      programs,
      dnsName: `${host}.${domain}`,
      down: async () => await rig.down(),
    }
  } catch (error) {
    await rig.down()
    throw error
  }
}
