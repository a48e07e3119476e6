import { renameSync } from 'node:fs'
import { join } from 'node:path'
import type { DiagnosisId } from '#shared/host-connection'
import { hostUrl, type LaptopHq } from './laptop-hq.ts'
import { installer } from '../host.ts'
import { directWay } from './node.ts'
import { people, type AccessRule } from './control.ts'
import { usualRules, withoutTls, type Tailnet } from './tailnet.ts'
import type { TlsFront } from './tls-front.ts'

/** What a fault is planted in. */
export interface Scene {
  readonly net: Tailnet
  readonly hq: LaptopHq
  readonly front: TlsFront
  readonly token: string
}

/** A way for a host to be unreachable, or to be reached badly, which HQ must tell from all others. */
export interface Fault {
  readonly id: DiagnosisId
  /** Host it is seen at: the usual one, or the one behind the proxy with a certificate. */
  readonly at?: 'front'
  plant(scene: Scene): Promise<void>
  heal(scene: Scene): Promise<void>
}

/** The laptop is let in at a port where nothing is. */
const anotherPort: AccessRule = {
  action: 'accept',
  src: [people.operator],
  dst: [`${people.owner}:22`],
}

const rejoin = async ({ net }: Scene): Promise<void> =>
  await net.laptop.join(net.control, 'operator')
const systemctl = async ({ net }: Scene, ...args: string[]): Promise<void> => {
  await net.rig.must(['systemctl', ...args])
}
const hostd = ['openclaw-hostd.socket', 'openclaw-hostd.service']

/** Breaks the connections of the laptop with the host: what is open goes on without looking at names and rules. */
const hangUp = async ({ net }: Scene): Promise<void> => {
  const { v4 } = await net.aiops.addresses()
  await net.laptop.exec(['ss', '-K', 'dst', v4])
}
/** Another token in Settings of the laptop. */
const enter = async (net: Tailnet, hq: LaptopHq, token: string): Promise<void> => {
  await hq.call('settings.set_host', { name: 'aiops-1', url: hostUrl(net), token })
}
/** The command of Tailscale, as HQ finds it, away or back. */
const command = ({ hq }: Scene, from: string, to: string): void =>
  renameSync(join(hq.programs, from), join(hq.programs, to))

const ofTheLaptop: readonly Fault[] = [
  {
    id: 'laptop_offline',
    plant: async ({ net }) => await net.network.cable('laptop', 'down'),
    heal: async ({ net }) => await net.network.cable('laptop', 'up'),
  },
  {
    id: 'tailscale_silent',
    plant: async ({ net }) => await net.laptop.stop(),
    heal: async ({ net }) => await net.laptop.start(),
  },
  {
    id: 'no_tailscale',
    plant: async (scene) => {
      await scene.net.laptop.stop()
      command(scene, 'tailscale', 'away')
    },
    heal: async (scene) => {
      command(scene, 'away', 'tailscale')
      await scene.net.laptop.start()
    },
  },
  {
    id: 'tailscale_stopped',
    plant: async ({ net }) => void (await net.laptop.tailscale('down')),
    heal: async ({ net }) => void (await net.laptop.tailscale('up')),
  },
  {
    id: 'laptop_key_expired',
    plant: async ({ net }) => await net.control.expire('laptop'),
    heal: rejoin,
  },
  {
    id: 'logged_out',
    plant: async ({ net }) => void (await net.laptop.tailscale('logout')),
    heal: rejoin,
  },
  {
    id: 'name_unknown',
    plant: async (scene) => {
      await scene.net.laptop.tailscale('set', '--accept-dns=false')
      await hangUp(scene)
    },
    heal: async ({ net }) => void (await net.laptop.tailscale('set', '--accept-dns=true')),
  },
]

const ofTheWay: readonly Fault[] = [
  {
    id: 'not_in_tailnet',
    plant: async (scene) => {
      await scene.net.control.allow(usualRules.slice(1))
      await hangUp(scene)
    },
    heal: async ({ net }) => await net.control.allow(usualRules),
  },
  {
    id: 'acl_denies',
    plant: async (scene) => {
      await scene.net.control.allow([anotherPort])
      await hangUp(scene)
    },
    heal: async ({ net }) => await net.control.allow(usualRules),
  },
  {
    id: 'no_path',
    plant: async ({ net }) => await net.network.cable('machine', 'down'),
    heal: async ({ net }) => await net.network.cable('machine', 'up'),
  },
  {
    id: 'relay_slow',
    plant: async ({ net }) => {
      net.control.slowRelay(true)
      await directWay(net.laptop, 'cut')
    },
    heal: async ({ net }) => {
      net.control.slowRelay(false)
      await directWay(net.laptop, 'open')
      await net.laptop.exec(['tailscale', 'ping', '--c=3', 'aiops-1'])
    },
  },
  {
    id: 'host_asleep',
    plant: async (scene) => await systemctl(scene, 'stop', 'tailscaled'),
    heal: async (scene) => await systemctl(scene, 'start', 'tailscaled'),
  },
]

const ofTheHost: readonly Fault[] = [
  {
    id: 'serve_off',
    plant: async ({ net }) => void (await net.aiops.tailscale('serve', '--http=80', 'off')),
    // Installing again publishes what is missing.
    heal: async ({ net }) => void (await net.rig.must([installer], { env: withoutTls })),
  },
  {
    id: 'hostd_down',
    plant: async (scene) => await systemctl(scene, 'stop', ...hostd),
    heal: async (scene) => await systemctl(scene, 'start', ...hostd),
  },
  {
    id: 'wrong_token',
    plant: async ({ net, hq }) => await enter(net, hq, '0'.repeat(64)),
    heal: async ({ net, hq, token }) => await enter(net, hq, token),
  },
  {
    id: 'certificate',
    at: 'front',
    plant: async ({ front }) => await front.show('self-signed'),
    heal: async ({ front }) => await front.show('valid'),
  },
  {
    id: 'wrong_name',
    at: 'front',
    plant: async ({ front }) => await front.show('of another name'),
    heal: async ({ front }) => await front.show('valid'),
  },
  {
    id: 'clock_skew',
    at: 'front',
    plant: async ({ front }) => await front.show('valid', 600),
    heal: async ({ front }) => await front.show('valid'),
  },
  {
    id: 'host_key_expired',
    plant: async ({ net }) => await net.control.expire('aiops-1'),
    // Its key is a new one then: HQ asks before it sends anything.
    heal: async ({ net, hq }) => {
      await net.aiops.join(net.control, 'owner')
      await hq.agree(hostUrl(net))
    },
  },
]

/** Every diagnosis that a real tailnet without Tailscale's own service can show. */
export const faults: readonly Fault[] = [...ofTheLaptop, ...ofTheWay, ...ofTheHost]
