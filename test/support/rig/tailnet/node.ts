import type { ChildProcess } from 'node:child_process'
import { z } from 'zod'
import { until } from '../patience.ts'
import type { Ended, RunOptions } from '../programs.ts'
import type { Control, Person } from './control.ts'
import type { Namespace } from './namespace.ts'

/** What `tailscale status --json` says of a node, as far as the rig reads it. */
const statusReply = z.looseObject({
  BackendState: z.string(),
  Self: z.looseObject({ DNSName: z.string(), TailscaleIPs: z.array(z.string()).nullable() }),
  Peer: z
    .record(
      z.string(),
      z.looseObject({ HostName: z.string(), Online: z.boolean(), CurAddr: z.string() }),
    )
    .nullish(),
})
export type NodeStatus = z.infer<typeof statusReply>

type Run = (argv: readonly string[], options?: RunOptions) => Promise<Ended>

/** A computer in the tailnet, whatever it runs in. */
export interface TailnetNode {
  /** Name that it joined with. */
  readonly name: string
  /** Runs a program there. */
  readonly exec: Run
  /** The command of Tailscale there, which must end well. @returns its standard output */
  tailscale(...args: string[]): Promise<string>
  status(): Promise<NodeStatus>
  /** Joins the tailnet, also again after its key has ended. */
  join(control: Control, person: Person): Promise<void>
  /** Its addresses of the tailnet. */
  addresses(): Promise<{ readonly v4: string; readonly v6: string }>
}

export function nodeOf(name: string, exec: Run): TailnetNode {
  const node: TailnetNode = {
    name,
    exec,
    tailscale: async (...args) => {
      const { code, out, err } = await exec(['tailscale', ...args], { seconds: 60 })
      if (code !== 0)
        throw new Error(
          `at ${name}, tailscale ${args.join(' ')} ended with ${String(code)}: ${out}\n${err}`,
        )
      return out
    },
    status: async () => statusReply.parse(JSON.parse(await node.tailscale('status', '--json'))),
    join: async (control, person) => {
      const key = await control.key(person)
      await node.tailscale(
        'up',
        `--login-server=${control.url}`,
        `--authkey=${key}`,
        `--hostname=${name}`,
        '--timeout=50s',
        '--force-reauth',
      )
    },
    addresses: async () => {
      const { Self } = await node.status()
      const all = Self.TailscaleIPs ?? []
      const of = (family: (address: string) => boolean): string => all.find(family) ?? ''
      return {
        v4: of((address) => !address.includes(':')),
        v6: of((address) => address.includes(':')),
      }
    },
  }
  return node
}

/** A node in a namespace: tailscaled is a process of this side. */
export interface LooseNode extends TailnetNode {
  readonly place: Namespace
  /** Starts tailscaled and waits until it takes commands. */
  start(): Promise<void>
  /** Ends tailscaled; the node stays a member. */
  stop(): Promise<void>
}

export function looseNode(place: Namespace, control: () => Control): LooseNode {
  let daemon: ChildProcess | null = null
  return {
    ...nodeOf(place.name, async (argv, options) => await place.exec(argv, options)),
    place,
    start: async () => {
      const started = place.start(
        [
          'env',
          `SSL_CERT_FILE=${control().authority.ca}`,
          'tailscaled',
          '--tun=tailscale0',
          `--statedir=${place.dir}`,
          '--port=41641',
          '--no-logs-no-support',
        ],
        'tailscaled',
      )
      daemon = started
      await until(`tailscaled of ${place.name}`, async () => {
        if (started.exitCode !== null)
          throw new Error(`tailscaled of ${place.name} ended; its log is in ${place.dir}`)
        // Without `up` it says that it is logged out, which is an answer.
        return (await place.exec(['test', '-S', '/run/tailscale/tailscaled.sock'])).code === 0
      })
    },
    stop: async () => {
      const stopped = daemon
      stopped?.kill('SIGTERM')
      await until(
        `tailscaled of ${place.name} to end`,
        () => stopped?.exitCode !== null || stopped.signalCode !== null,
      )
    },
  }
}

/** Cuts the direct way of a node to all others, or opens it again. What is left is the relay. */
export async function directWay(node: LooseNode, way: 'cut' | 'open'): Promise<void> {
  for (const [chain, side] of [
    ['INPUT', '-i'],
    ['OUTPUT', '-o'],
  ] as const)
    await node.place.must([
      'iptables',
      way === 'cut' ? '-I' : '-D',
      chain,
      side,
      'eth0',
      '-p',
      'udp',
      '-j',
      'DROP',
    ])
}
