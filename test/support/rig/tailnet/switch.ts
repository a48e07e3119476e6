import type { Place } from '../machine.ts'
import { must } from '../programs.ts'
import { makeNamespace, type Namespace } from './namespace.ts'

/** The local network of a rig: a switch that leads nowhere, in a network of its own, where no packet filter works. */
export interface Switch {
  /** Addresses of the n-th computer on it. */
  address(n: number): { readonly v4: string; readonly v6: string }
  /** Plugs a namespace in as its n-th computer. */
  plug(node: Namespace, n: number): Promise<void>
  /** Plugs the machine in, again after each of its boots. @param link the outer half of its interfaces, on this side */
  plugMachine(link: string): Promise<void>
  /** Pulls the plug of a computer, or puts it back. @param name `machine`, or the namespace's */
  cable(name: string, state: 'up' | 'down'): Promise<void>
}

const machinePort = 'p-machine'
const portOf = (name: string): string => `p-${name}`.slice(0, 15)

/** Makes the switch and puts this side on it, as its first computer. */
export async function makeSwitch(place: Place, programs: string): Promise<Switch> {
  const inside = await makeNamespace(place, 'switch', programs)
  const ip = async (...args: string[]): Promise<string> => await inside.must(['ip', ...args])
  const half = place.outside.split('.').slice(0, 3)
  const address = (n: number): { v4: string; v6: string } => ({
    v4: [...half, n].join('.'),
    v6: `fd98:${half[2]}::${n}`,
  })
  const onto = async (port: string): Promise<void> => {
    await ip('link', 'set', port, 'master', 'br0')
    await ip('link', 'set', port, 'up')
  }
  await ip('link', 'add', 'br0', 'type', 'bridge')
  await ip('link', 'set', 'br0', 'up')

  const link = `tn-${place.name}`.slice(0, 15)
  const other = ['peer', 'name', portOf('outside'), 'netns', String(inside.pid)]
  await must(['ip', 'link', 'add', link, 'type', 'veth', ...other])
  await must(['ip', 'address', 'add', `${place.outside}/24`, 'dev', link])
  await must(['ip', 'address', 'add', `${address(1).v6}/64`, 'dev', link, 'nodad'])
  await must(['ip', 'link', 'set', link, 'up'])
  await onto(portOf('outside'))

  return {
    address,
    plug: async (node, n) => {
      const port = portOf(node.name)
      const { v4, v6 } = address(n)
      const peer = ['peer', 'name', 'eth0', 'netns', String(node.pid)]
      await ip('link', 'add', port, 'type', 'veth', ...peer)
      await node.must(['ip', 'address', 'add', `${v4}/24`, 'dev', 'eth0'])
      await node.must(['ip', 'address', 'add', `${v6}/64`, 'dev', 'eth0', 'nodad'])
      await node.must(['ip', 'link', 'set', 'eth0', 'up'])
      await onto(port)
    },
    plugMachine: async (outer) => {
      // that of the machine before a reboot: the kernel takes it away in its own time
      if ((await inside.exec(['ip', 'link', 'show', machinePort])).code === 0)
        await inside.exec(['ip', 'link', 'delete', machinePort])
      const there = ['netns', String(inside.pid), 'name', machinePort]
      await must(['ip', 'link', 'set', outer, ...there])
      await onto(machinePort)
    },
    cable: async (name, state) => {
      await ip('link', 'set', portOf(name), state)
    },
  }
}
