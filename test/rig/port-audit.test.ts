import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkResult, type CheckResult } from '#shared/result'
import { inspect } from '#ops/platform/docker/engine-api'
import { container as containerSchema } from '#ops/platform/docker/containers'
import { judgeContainers } from '#ops/platform/net/host-docker'
import { nodeProgram } from '#ops/base/process/program'
import { startDocker, whyNoDocker, type TestDocker } from '../support/docker.ts'
import { until } from '../support/rig/patience.ts'

const why = whyNoDocker()
if (why) console.warn(`Skipped, ${why}: the port audit of a whole host`)

/**
 * A host in small: a network of its own with loopback, a local network and a tailnet address; its own Docker and packet
 * filter.
 */
describe.skipIf(why !== null)('the port audit of a whole host', () => {
  const net = `hq-${randomBytes(3).toString('hex')}`
  const inside = ['nsenter', `--net=/run/netns/${net}`]
  let docker: TestDocker
  let programs = ''
  const run = (argv: string[]): string =>
    execFileSync(argv[0] ?? '', argv.slice(1), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const within = (...argv: string[]): string => run([...inside, ...argv])
  let tailscaled: ChildProcess | undefined
  /** What Tailscale serves, as its LocalAPI says it. */
  const serve = (config: object): void =>
    writeFileSync(join(programs, 'serve.json'), JSON.stringify(config))

  beforeAll(async () => {
    run(['ip', 'netns', 'add', net])
    within('ip', 'link', 'set', 'lo', 'up')
    within('ip', 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan1')
    for (const address of ['192.0.2.10/24', '100.64.0.2/24', 'fd7a:115c:a1e0::2/64'])
      within(
        'ip',
        'address',
        'add',
        address,
        'dev',
        'lan0',
        ...(address.includes(':') ? ['nodad'] : []),
      )
    for (const name of ['lan0', 'lan1']) within('ip', 'link', 'set', name, 'up')
    docker = await startDocker({ net })
    programs = join(docker.dir, 'programs')
    mkdirSync(programs)
    writeFileSync(
      join(programs, 'status.json'),
      JSON.stringify({
        BackendState: 'Running',
        TailscaleIPs: ['100.64.0.2', 'fd7a:115c:a1e0::2'],
        Self: { DNSName: 'aiops-1.example.ts.net.', Online: true },
      }),
    )
    serve({})
    const socket = join(programs, 'tailscaled.sock')
    const script = join(process.cwd(), 'test/support/local-api.mjs')
    tailscaled = spawn(nodeProgram(), [script, programs, socket], { stdio: 'ignore' })
    await until('the LocalAPI', () => existsSync(socket))
  })
  afterAll(async () => {
    tailscaled?.kill('SIGKILL')
    await docker?.stop()
    run(['ip', 'netns', 'delete', net])
  })

  const audit = (exceptions: object = { exceptions: [], compose: [] }): CheckResult[] => {
    const argv = [
      'env',
      `OPENCLAW_TAILSCALE_SOCKET=${join(programs, 'tailscaled.sock')}`,
      nodeProgram(),
      join(process.cwd(), 'test/support/audit-host.ts'),
      docker.at.socket,
      JSON.stringify(exceptions),
    ]
    return checkResult.array().parse(JSON.parse(within(...argv)))
  }
  const failed = (checks: CheckResult[]): string[] =>
    checks.filter(({ status }) => status === 'FAIL').map(({ name, detail }) => `${name}: ${detail}`)
  const container = (...args: string[]): (() => void) => {
    const id = docker.run(
      'run',
      '--detach',
      '--init',
      ...args,
      docker.baseImage,
      'node',
      '-e',
      'require("node:net").createServer().listen(8082, "0.0.0.0")',
    )
    return () => {
      docker.run('rm', '--force', id)
    }
  }
  const program = async (code: string, ready: () => boolean): Promise<() => Promise<void>> => {
    const child: ChildProcess = spawn(
      inside[0] ?? '',
      [...inside.slice(1), nodeProgram(), '-e', code],
      { stdio: 'ignore' },
    )
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
    })
    await until('the listener', ready)
    return async () => {
      child.kill('SIGKILL')
      await ended
    }
  }
  const listens = (filter: string, port: number) => (): boolean =>
    within('ss', '-Hln', filter, `sport = :${port}`).trim() !== ''

  it('raises no alarm on a clean host with services on loopback and the tailnet', () => {
    serve({
      TCP: { 443: { HTTPS: true } },
      Web: {
        'aiops-1.example.ts.net:443': { Handlers: { '/': { Proxy: 'http://127.0.0.1:8877' } } },
      },
    })
    const stop = container(
      '--publish',
      '127.0.0.1:8085:8082',
      '--publish',
      '100.64.0.2:8086:8082',
      '--publish',
      '[fd7a:115c:a1e0::2]:8087:8082',
    )
    const checks = audit()
    stop()
    serve({})
    expect(
      checks.map(({ name, status, detail }) =>
        status === 'PASS' ? `${name} PASS` : `${name} ${status} ${detail}`,
      ),
    ).toEqual([
      'ports:sockets PASS',
      'ports:docker PASS',
      'ports:nat PASS',
      'ports:tailnet PASS',
      'ports:tailscale PASS',
    ])
  })

  const plants: [string, () => Promise<() => void | Promise<void>> | (() => void), RegExp][] = [
    [
      'a port published on 0.0.0.0',
      () => container('--publish', '8080:8082'),
      /^ports:docker: .*publishes tcp 0\.0\.0\.0:8080/,
    ],
    [
      'a range of ports',
      () => container('--publish', '8100-8102:8100-8102'),
      /^ports:docker: .*tcp 0\.0\.0\.0:8100.*tcp 0\.0\.0\.0:8102/,
    ],
    [
      'a port published on [::]',
      () => container('--publish', '[::]:8081:8082'),
      /^ports:docker: .*publishes tcp \[::\]:8081/,
    ],
    [
      'a container in the host network',
      async () => {
        const stop = container('--network', 'host')
        await until('its program to listen', listens('-t', 8082))
        return stop
      },
      /^ports:sockets: .*in container \S+ listens on tcp (?:0\.0\.0\.0|\[::\]):8082/,
    ],
    [
      'a UDP listener',
      () =>
        program(
          'require("node:dgram").createSocket("udp4").bind(5000, "0.0.0.0")',
          listens('-u', 5000),
        ),
      /^ports:sockets: process \d+ \(\S*\) listens on udp 0\.0\.0\.0:5000/,
    ],
    [
      'a UDP listener on a port of the passing kind',
      () =>
        program(
          'require("node:dgram").createSocket("udp4").bind(40000, "0.0.0.0")',
          listens('-u', 40000),
        ),
      /^ports:sockets: .*udp 0\.0\.0\.0:40000/,
    ],
    [
      'an IPv6-only listener',
      () =>
        program(
          'require("node:net").createServer().listen({ port: 8091, host: "::", ipv6Only: true })',
          listens('-t', 8091),
        ),
      /^ports:sockets: .*tcp \[::\]:8091/,
    ],
    [
      'a listener on a second interface address',
      () =>
        program(
          'require("node:net").createServer().listen(8083, "192.0.2.10")',
          listens('-t', 8083),
        ),
      /^ports:sockets: .*tcp 192\.0\.2\.10:8083/,
    ],
    [
      'a rule of iptables',
      () => {
        within(
          'iptables',
          '-t',
          'nat',
          '-A',
          'PREROUTING',
          '-p',
          'tcp',
          '--dport',
          '8090',
          '-j',
          'REDIRECT',
          '--to-ports',
          '8877',
        )
        return () => {
          within(
            'iptables',
            '-t',
            'nat',
            '-D',
            'PREROUTING',
            '-p',
            'tcp',
            '--dport',
            '8090',
            '-j',
            'REDIRECT',
            '--to-ports',
            '8877',
          )
        }
      },
      /^ports:nat: .*REDIRECT forwards what arrives at tcp 0\.0\.0\.0:8090/,
    ],
    [
      'a rule of nftables',
      () => {
        for (const line of [
          'add table ip mine',
          'add chain ip mine pre { type nat hook prerouting priority -100; }',
          'add rule ip mine pre tcp dport 8092 redirect to :8877',
        ])
          within('nft', line)
        return () => {
          within('nft', 'delete', 'table', 'ip', 'mine')
        }
      },
      /^ports:nat: .*redirect forwards what arrives at tcp 0\.0\.0\.0:8092/,
    ],
    [
      'a container that may administer the network',
      () => container('--cap-add', 'NET_ADMIN'),
      /^ports:docker: .*has the capability NET_ADMIN/,
    ],
    [
      'a container with a device of the host',
      () => container('--device', '/dev/full'),
      /^ports:docker: .*has the device \/dev\/full/,
    ],
    [
      'a container in the process list of the host',
      () => container('--pid', 'host'),
      /^ports:docker: .*shares the pid namespace/,
    ],
    [
      'a mounted docker.sock',
      () => container('--volume', `${docker.at.socket}:/docker.sock:ro`),
      /^ports:docker: .*mounts \S+docker\.sock, through which the container engine/,
    ],
    [
      'Funnel',
      () => {
        serve({ AllowFunnel: { 'aiops-1.example.ts.net:443': true } })
        return () => serve({})
      },
      /^ports:tailscale: Funnel opens|^ports:tailscale: tailscale: Funnel opens/,
    ],
    [
      'a program on the tailnet address',
      () =>
        program(
          'require("node:net").createServer().listen(9100, "100.64.0.2")',
          listens('-t', 9100),
        ),
      /^ports:tailnet: .*listens on tcp 100\.64\.0\.2:9100/,
    ],
    [
      'a foreground Serve',
      () => {
        serve({
          Foreground: {
            a1: {
              TCP: { 8443: { HTTPS: true } },
              Web: {
                'aiops-1.example.ts.net:8443': {
                  Handlers: { '/': { Proxy: 'http://127.0.0.1:9000' } },
                },
              },
            },
          },
        })
        return () => serve({})
      },
      /^ports:tailscale: .*foreground session serves port 8443/,
    ],
  ]
  it.each(plants)('finds %s, and nothing once it is gone', async (_what, plant, expected) => {
    const takeAway = await plant()
    const found = failed(audit())
    await takeAway()
    expect(found).toContainEqual(expect.stringMatching(expected))
    expect(failed(audit())).toEqual([])
  })

  it('finds a privileged container in what the daemon says of it', async () => {
    // Not every machine lets a container have every capability, so it is not started here.
    const id = docker.run('create', '--privileged', docker.baseImage, 'node')
    const [created] = await inspect(docker.at, {
      kind: 'container',
      names: [id],
      schema: containerSchema,
    })
    docker.run('rm', id)
    if (created === undefined) throw new Error('the container is not there')
    const running = { ...created, State: { ...created.State, Running: true } }
    expect(judgeContainers([running]).open.map(({ code }) => code)).toEqual(['privileged'])
    expect(judgeContainers([created]).open).toEqual([])
  })

  it('lets through what is expected, with its reason, and only that', () => {
    const stop = container('--publish', '8080:8082', '--publish', '8081:8082')
    const checks = audit({
      exceptions: [{ protocol: 'tcp', port: 8080, reason: 'the shop window' }],
      compose: [],
    })
    stop()
    const found = failed(checks)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/tcp 0\.0\.0\.0:8081/)
    expect(found[0]).toMatch(/allowed: the shop window/)
  })

  it('fails, and does not pass, when Docker or Serve cannot be read', () => {
    writeFileSync(join(programs, 'serve.json'), 'Funnel on')
    const unknown = [
      expect.stringMatching(/^ports:tailnet: It is not known what the tailnet reaches/),
      expect.stringMatching(/^ports:tailscale: It is not known what Tailscale serves/),
    ]
    expect(failed(audit())).toEqual(unknown)
    rmSync(join(programs, 'serve.json'))
    expect(failed(audit())).toEqual(unknown)
    serve({})
  })
})
