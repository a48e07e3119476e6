import { toProblem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { parseJson } from '#ops/base/files/json-file'
import { hostPaths, hostPathsEnv } from '#ops/base/paths/paths'
import { socketExposures } from '#ops/features/port-audit/index'
import { parseIptablesSave } from '#ops/platform/net/iptables-rules'
import { natExposures } from '#ops/platform/net/nat-rules'
import { parseServeConfig, serveExposures } from '#ops/platform/net/serve-config'
import { parseTable } from '#ops/platform/net/sockets'
import { programArgv } from '#ops/base/process/program'
import { findings, once, type Attempt, type Group, type Plant } from './violation.ts'
import type { Place } from './workspace.ts'
import { socketAnswers, type socketCases, type SocketAnswers } from './socket-cases.ts'

type Case = keyof typeof socketCases
type ListedPlant = Omit<Plant, 'control' | 'plant'> & { readonly name: Exclude<Case, 'loopback'> }

const listed: readonly ListedPlant[] = [
  { name: 'tcp', planted: 'a TCP listener on every address', expected: 'public_socket' },
  { name: 'udp', planted: 'a UDP socket on every address', expected: 'public_socket' },
  {
    name: 'tcp6_only',
    planted: 'a listener on every IPv6 address only',
    expected: 'public_socket',
  },
]

/** How to become alone on a network: as root, or as root of a user namespace. */
const ways: readonly (readonly string[])[] = [
  ['unshare', '--net'],
  ['unshare', '--user', '--map-root-user', '--net'],
]

/** @returns what was found in a namespace of its own; or why none can be had here */
async function inNamespace(place: Place, signal: AbortSignal): Promise<SocketAnswers | string> {
  const env = {
    ...baseEnv(),
    ...place.env,
    ...hostPathsEnv(
      hostPaths({
        OPENCLAW_ROOT: place.sub('ports', 'root'),
        OPENCLAW_ETC: place.sub('ports', 'etc'),
        OPENCLAW_STATE: place.sub('ports', 'state'),
      }),
    ),
  }
  let why = ''
  for (const way of process.platform === 'linux' ? ways : []) {
    try {
      const probe = await runCommand([...way, '--', 'true'], {
        cwd: '/',
        env,
        timeLimitSeconds: 20,
        signal,
      })
      if (probe.exitCode !== 0) {
        why = probe.stderrTail
        continue
      }
      const child = await runCommand(
        [...way, '--', ...programArgv('hq', ['selftest', '--sockets'])],
        { cwd: '/', env, timeLimitSeconds: 50, signal, keepStdout: true },
      )
      if (child.exitCode === 0)
        return parseJson(child.stdout, socketAnswers, {
          errorClass: 'internal_error',
          origin: 'The self-test in the network namespace',
        })
      why = child.stderrTail
    } catch (error) {
      const problem = toProblem(error)
      if (problem.errorClass !== 'internal_error') throw error
      why = problem.message // no such program: the tables are planted instead
    }
  }
  return why.split('\n')[0] ?? ''
}

/** Rows of the kernel's tables as proc(5) has them, for where no namespace can be had. */
const row = (address: string, state: string): string =>
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: ${address}:4E55 ${address.replaceAll(/./g, '0')}:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n`
const tables: Readonly<Record<Case, readonly ['tcp' | 'udp', string]>> = {
  loopback: ['tcp', row('0100007F', '0A')],
  tcp: ['tcp', row('00000000', '0A')],
  udp: ['udp', row('00000000', '07')],
  tcp6_only: ['tcp', row('0'.repeat(32), '0A')],
}
const fromTable = (name: Case): Attempt =>
  findings(() => {
    const sockets = parseTable(tables[name][1], tables[name][0]).map(
      ({ protocol, address, port }) => ({ protocol, address, port, pids: [], owners: [] }),
    )
    if (sockets.length !== 1)
      throw new Error(`the planted table was read as ${sockets.length} sockets`)
    return socketExposures(sockets)
  })

/** Sockets that others could reach, really open where this machine lets a program be alone on a network. */
export const socketPlants: Group = {
  name: 'sockets',
  guard: 'The port audit',
  make: async (place, signal) => {
    const answers = await inNamespace(place, signal)
    if (typeof answers === 'string') {
      return {
        note: `over planted socket tables, as no network namespace can be had here${answers === '' ? '' : `: ${answers}`}`,
        plants: listed.map((each): Plant => ({
          ...each,
          control: fromTable('loopback'),
          plant: fromTable(each.name),
        })),
      }
    }
    const seen = (name: Case): Attempt => findings(() => answers.host[name] ?? [])
    /** The engine `process`: hostd's own port. */
    const own = (name: Case): Attempt =>
      findings(() => {
        const found = answers.process[name]
        return found === undefined || found.status === 'PASS'
          ? []
          : [{ code: found.status, detail: found.detail }]
      })
    return {
      note: 'really open, in a network namespace',
      plants: listed.flatMap((each): Plant[] => [
        { ...each, control: seen('loopback'), plant: seen(each.name) },
        ...(each.name === 'udp'
          ? []
          : [
              {
                name: `hostd_${each.name}`,
                planted: `${each.planted}, on the port of hostd`,
                expected: 'FAIL',
                control: own('loopback'),
                plant: own(each.name),
              },
            ]),
      ]),
    }
  },
}

const nat = (rule: string): Attempt =>
  findings(() =>
    natExposures(
      parseIptablesSave(
        `*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rule}\nCOMMIT\n`,
        '',
      ),
    ),
  )
const target = 'http://127.0.0.1:8877'
const web = { 'host.example.ts.net:443': { Handlers: { '/': { Proxy: target } } } }
const serve = (config: object): Attempt =>
  findings(() => serveExposures(parseServeConfig(JSON.stringify(config)), [target]))

/** Other ways to the outside: rules of the packet filter, and what Tailscale serves. */
export const wayPlants: Group = {
  name: 'ways_in',
  guard: 'The port audit',
  make: () => {
    const [closed, private_] = [
      once(
        nat(
          '-A PREROUTING -d 100.64.0.2/32 -p tcp -m tcp --dport 8788 -j DNAT --to-destination 172.17.0.2:8788',
        ),
      ),
      once(serve({ Web: web })),
    ]
    return Promise.resolve({
      plants: [
        {
          name: 'nat_rule',
          planted: 'a NAT rule that sends a public port on',
          expected: 'public_nat',
          control: closed,
          plant: nat(
            '-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80',
          ),
        },
        {
          name: 'redirect_rule',
          planted: 'a rule that redirects a public port to hostd',
          expected: 'public_nat',
          control: closed,
          plant: nat('-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8877'),
        },
        {
          name: 'funnel',
          planted: 'Tailscale Funnel',
          expected: 'funnel',
          control: private_,
          plant: serve({ Web: web, AllowFunnel: { 'host.example.ts.net:443': true } }),
        },
        {
          name: 'foreground_serve',
          planted: 'a foreground session of Tailscale Serve',
          expected: 'foreground_serve',
          control: private_,
          plant: serve({ Web: web, Foreground: { planted: { Web: web } } }),
        },
        {
          name: 'serve_other',
          planted: 'Tailscale Serve with something that is not hostd',
          expected: 'serve_target',
          control: private_,
          plant: serve({
            Web: {
              'host.example.ts.net:443': { Handlers: { '/': { Proxy: 'http://127.0.0.1:9000' } } },
            },
          }),
        },
      ],
    })
  },
}
