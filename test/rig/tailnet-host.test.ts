import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appPort, prepareDeployHost, type DeployHost } from '../support/rig/deploy-host.ts'
import { until } from '../support/rig/patience.ts'
import { packageInside } from '../support/rig/rig.ts'
import { people } from '../support/rig/tailnet/control.ts'
import { directWay } from '../support/rig/tailnet/node.ts'
import { whyNoTailnet } from '../support/rig/tailnet/programs.ts'
import { accepts, answeringUdpPorts, openTcpPorts } from '../support/rig/tailnet/scan.ts'
import { bootTailnet, published, type Tailnet } from '../support/rig/tailnet/tailnet.ts'

const why = whyNoTailnet()
if (why) console.warn(`Skipped, ${why}: a host in a real tailnet`)

const node = `${packageInside}/node_modules/.bin/node`
const plantedPort = 4242
/** Accepts connections and answers datagrams, at every address. */
const plantedScript = `
require('node:net').createServer((socket) => socket.end()).listen(${plantedPort}, '::')
const udp = require('node:dgram').createSocket('udp6')
udp.on('message', (text, { port, address }) => udp.send(text, port, address))
udp.bind(${plantedPort}, '::')`

/** One host, reached from one laptop: each test goes on from where the one before it ended. */
describe.skipIf(why !== null)('a host that is reached over its tailnet', () => {
  let net: Tailnet
  let host: DeployHost
  beforeAll(async () => {
    net = await bootTailnet(console.warn)
    host = await prepareDeployHost(net.rig, { hostnames: [net.dnsName] })
    await net.publish()
    await host.ship('one')
    const { result } = await host.deploy()
    expect(result.overall, JSON.stringify(result.steps, null, 1)).toBe('PASS')
  })
  afterAll(async () => await net?.down())

  it('has nothing that answers outside the tailnet: 65,535 ports, TCP and UDP, IPv4 and IPv6', async () => {
    const { v4, v6 } = net.network.address(2)
    await net.rig.must(['ip', 'address', 'add', `${v6}/64`, 'dev', 'host0', 'nodad'])
    // What is planted is found: so the search finds what answers.
    await net.rig.must(['systemd-run', '--quiet', '--unit=planted', node, '-e', plantedScript])
    await until('the planted port', async () => await accepts(v4, plantedPort))
    for (const address of [v4, v6])
      expect([address, await openTcpPorts(address), await answeringUdpPorts(address)]).toEqual([
        address,
        [plantedPort],
        [plantedPort],
      ])
    await net.rig.must(['systemctl', 'stop', 'planted'])
  })

  it('is not there for a member that nothing allows, and one port for a member that one is allowed', async () => {
    const { v4 } = await net.aiops.addresses()
    const ports = [published.hostd, published.console, appPort, 22, 8787, 8877, 41641]
    const reached = async (from: Tailnet['denied']): Promise<number[]> => {
      const tries = ports.map(async (port) => {
        const { code } = await from.exec(['curl', '-s', '-m', '4', `http://${v4}:${port}/`])
        return code === 0 ? [port] : []
      })
      return (await Promise.all(tries)).flat()
    }
    expect((await net.denied.status()).Peer ?? {}).toEqual({})
    expect([
      await reached(net.denied),
      await reached(net.onePort),
      await reached(net.laptop),
    ]).toEqual([[], [published.hostd], [published.hostd]])
  })

  it('answers by the direct way, and by the relay when that is cut', async () => {
    const ask = ['curl', '-sf', '-m', '20', `http://${net.dnsName}/health`]
    const way = async (): Promise<string> =>
      (await net.laptop.exec(['tailscale', 'ping', '--c=1', '--until-direct=false', 'aiops-1'])).out
    await until('the direct way', async () => / via [\d.]+:\d+ /.test(await way()))
    expect(JSON.parse(await net.laptop.place.must(ask))).toMatchObject({ ok: true })
    await directWay(net.laptop, 'cut')
    await until('the relay', async () => (await way()).includes('via DERP(rig)'))
    expect(JSON.parse(await net.laptop.place.must(ask))).toMatchObject({ ok: true })
    await directWay(net.laptop, 'open')
  })

  it('asks a local process for the token, whatever identity it claims', async () => {
    const claim = ['-H', `Tailscale-User-Login: ${people.operator}`, '-H', 'Tailscale-User-Name: O']
    const how = ['-s', '-o', '/dev/null', '-w', '%{http_code}']
    expect(await net.rig.must(['curl', ...how, ...claim, 'http://127.0.0.1:8877/api/status'])).toBe(
      '403',
    )
  })
})
