import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseRunEvent } from '#shared/events'
import { deployResult, type DeployResult } from '#shared/result'
import { isEnded } from '#shared/run'
import { tailnetPorts } from '#shared/tailnet/ports'
import { appPort, prepareDeployHost, type DeployHost } from '../support/rig/deploy-host.ts'
import { until } from '../support/rig/patience.ts'
import { packageInside } from '../support/rig/rig.ts'
import { people } from '../support/rig/tailnet/control.ts'
import {
  enrolAtLaptop,
  hostUrl,
  type FollowedRun,
  type LaptopHq,
} from '../support/rig/tailnet/laptop-hq.ts'
import { directWay } from '../support/rig/tailnet/node.ts'
import { whyNoTailnet } from '../support/rig/tailnet/programs.ts'
import { accepts, answeringUdpPorts, openTcpPorts } from '../support/rig/tailnet/scan.ts'
import { bootTailnet, withoutTls, type Tailnet } from '../support/rig/tailnet/tailnet.ts'

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
/** Prints a line ten times a second. */
const slowBuild = (seconds: number): object => ({
  build: [
    {
      name: 'slow',
      argv: [
        'sh',
        '-c',
        `i=0; while [ $i -lt ${seconds * 10} ]; do i=$((i+1)); echo "line $i."; sleep 0.1; done`,
      ],
    },
  ],
})

/** HQ says that the link is cut, and is back, within this time, milliseconds; on a machine with other work, later. */
const limitMs = { usual: 5000, busy: 15_000 }

/** One host, reached from one laptop: each test goes on from where the one before it ended. */
describe.skipIf(why !== null)('a host that is reached over its tailnet', () => {
  let net: Tailnet
  let host: DeployHost
  let hq: LaptopHq
  beforeAll(async () => {
    net = await bootTailnet(console.warn)
    host = await prepareDeployHost(net.rig, withoutTls)
    hq = await enrolAtLaptop(net, host.token())
  })
  afterAll(async () => await net?.down())

  const online = async (): Promise<boolean> =>
    (await hq.host(hostUrl(net))).connection.state === 'online'
  const timeUntil = async (what: string, probe: () => Promise<boolean>): Promise<number> => {
    const from = performance.now()
    await until(what, probe)
    return Math.round(performance.now() - from)
  }
  const begin = async (): Promise<string> =>
    (await hq.call('host.exec', { action: 'deploy_and_verify' })).run_id
  /** Waits, from the laptop, for a deploy that the laptop started. */
  const outcome = async (id: string): Promise<{ actor: string; result: DeployResult }> => {
    const run = await until(`${id} to end`, async () => {
      const reply = await hq.reply('host.run', { run_id: id })
      if (!reply.ok) return null // the host is away just now
      const { run: found } = await hq.call('host.run', { run_id: id })
      return isEnded(found.status) ? found : null
    })
    return { actor: run.actor, result: deployResult.parse(run.result) }
  }
  /** Deploys from the laptop to the end, which must be good. @returns who did it */
  const green = async (message: string, id: string, sha: string): Promise<string> => {
    const { actor, result } = await outcome(id)
    expect(result.overall, JSON.stringify(result.steps, null, 1)).toBe('PASS')
    expect(await host.serves()).toEqual({ ok: true, message, commit: sha })
    return actor
  }
  /** Starts a deploy with a slow build, follows it in HQ, and waits until its build says something. */
  const beginSlow = async (
    message: string,
    seconds: number,
  ): Promise<{ sha: string; id: string; log: FollowedRun }> => {
    const sha = await host.ship(message, { config: slowBuild(seconds) })
    const id = await begin()
    const log = hq.follow(id)
    await until('the build to say something', () =>
      JSON.stringify(log.events()).includes('line 1.'),
    )
    return { sha, id, log }
  }
  /** Everything that happened in the run is in the log that HQ followed: once, in order. */
  const isWhole = async (id: string, log: FollowedRun): Promise<void> => {
    await until('the followed log to end', () => log.ended())
    const written = host
      .log(id)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => parseRunEvent(JSON.parse(line)))
    const seen = log.events().map(parseRunEvent)
    expect(seen.map(({ seq }) => seq)).toEqual(written.map((_, n) => n + 1))
    expect(seen).toEqual(written)
  }

  it('goes green at the press of a button on the laptop, in the name of its owner', async () => {
    const sha = await host.ship('one')
    const actor = await green('one', await begin(), sha)
    expect(actor).toContain(people.operator)
    const { state, tailnet } = (await hq.host(hostUrl(net))).connection
    expect([state, tailnet]).toEqual([
      'online',
      expect.objectContaining({ online: true, path: 'direct' }),
    ])
  })

  it('goes green through the relay when the direct way is cut', async () => {
    await directWay(net.laptop, 'cut')
    const relayed = async (): Promise<boolean> =>
      (await hq.host(hostUrl(net))).connection.tailnet?.path === 'relayed'
    await until('the relay to carry', relayed)
    const sha = await host.ship('two')
    await green('two', await begin(), sha)
    expect(await relayed()).toBe(true)
    await directWay(net.laptop, 'open')
  })

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
    const { hostdPlain, console: consolePort } = tailnetPorts
    const ports = [hostdPlain, consolePort, appPort, 22, 443, 8787, 8877, 41641]
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
    ]).toEqual([[], [hostdPlain], [hostdPlain, consolePort]])
  })

  it('asks a local process for the token, and takes no identity from it', async () => {
    const claim = ['-H', `Tailscale-User-Login: ${people.operator}`, '-H', 'Tailscale-User-Name: O']
    const how = ['-s', '-o', '/dev/null', '-w', '%{http_code}']
    expect(await net.rig.must(['curl', ...how, ...claim, 'http://127.0.0.1:8877/api/status'])).toBe(
      '403',
    )
    const { status, body } = await host.api('/api/exec', {
      method: 'POST',
      headers: { 'Tailscale-User-Login': people.operator },
      body: { action: 'doctor' },
    })
    expect(status).toBe(202)
    expect((await host.ended(String(body['run_id']))).actor).not.toContain(people.operator)
  })

  it('deploys on while the link is cut for 30 s; HQ says so, and its log has no gap', async () => {
    const { sha, id, log } = await beginSlow('cut', 40)
    await net.network.cable('laptop', 'down')
    const noticed = await timeUntil('HQ to say so', async () => !(await online()))
    await delay(30_000 - noticed)
    await net.network.cable('laptop', 'up')
    const back = await timeUntil('HQ to be back', online)
    console.warn(
      `A link cut for 30 s: HQ says so after ${noticed} ms, and is back after ${back} ms`,
    )
    await green('cut', id, sha)
    await isWhole(id, log)
    for (const ms of [noticed, back]) expect(ms).toBeLessThan(limitMs.busy)
    expect(Math.min(noticed, back)).toBeLessThan(limitMs.usual)
  })

  it('deploys on while its tailscaled is restarted', async () => {
    const { sha, id, log } = await beginSlow('restarted', 15)
    await net.rig.must(['systemctl', 'restart', 'tailscaled'])
    await green('restarted', id, sha)
    await isWhole(id, log)
  })

  it('deploys without the control server', async () => {
    await net.control.stop()
    const sha = await host.ship('alone')
    const id = await begin()
    const log = hq.follow(id)
    await green('alone', id, sha)
    await isWhole(id, log)
    await net.control.start()
  })

  it('is back by itself after a reboot in mid-deploy, which is closed as interrupted', async () => {
    const { id, log } = await beginSlow('rebooted', 120)
    await net.rig.reboot()
    await until('HQ to be back', online)
    const { run } = await hq.call('host.run', { run_id: id })
    expect([run.status, run.error_class]).toEqual(['interrupted', 'interrupted'])
    await isWhole(id, log)
    const sha = await host.ship('again')
    await green('again', await begin(), sha)
  })
})
