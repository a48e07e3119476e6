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
import { listing, once, type Attempt, type ViolationGroup, type Violation } from './violation.ts'
import type { Workspace } from './workspace.ts'
import { socketAnswers, type socketCases, type SocketAnswers } from './socket-cases.ts'

type Case = keyof typeof socketCases
type ListedViolation = Omit<Violation, 'control' | 'attempt'> & {
  readonly name: Exclude<Case, 'loopback'>
}

const listed: readonly ListedViolation[] = [
  { name: 'tcp', what: 'a TCP listener on every address', expected: 'public_socket' },
  { name: 'udp', what: 'a UDP socket on every address', expected: 'public_socket' },
  {
    name: 'tcp6_only',
    what: 'a listener on every IPv6 address only',
    expected: 'public_socket',
  },
]

/** How to get a network namespace: as root, or as root of a user namespace. */
const ways: readonly (readonly string[])[] = [
  ['unshare', '--net'],
  ['unshare', '--user', '--map-root-user', '--net'],
]

/** @returns the answers from a separate network namespace, or why this machine allows none */
async function inNamespace(
  workspace: Workspace,
  signal: AbortSignal,
): Promise<SocketAnswers | string> {
  const env = {
    ...baseEnv(),
    ...workspace.env,
    ...hostPathsEnv(
      hostPaths({
        OPENCLAW_ROOT: workspace.sub('ports', 'root'),
        OPENCLAW_ETC: workspace.sub('ports', 'etc'),
        OPENCLAW_STATE: workspace.sub('ports', 'state'),
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
      why = problem.message // no such program: socket tables are used instead
    }
  }
  return why.split('\n')[0] ?? ''
}

/** A socket table of the kernel in the format of proc(5), for a machine without network namespaces. */
const row = (address: string, state: string): string =>
  [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n',
    `   0: ${address}:4E55 ${address.replaceAll(/./g, '0')}:0000 ${state} 00000000:00000000`,
    ' 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n',
  ].join('')
const tables: Readonly<Record<Case, readonly ['tcp' | 'udp', string]>> = {
  loopback: ['tcp', row('0100007F', '0A')],
  tcp: ['tcp', row('00000000', '0A')],
  udp: ['udp', row('00000000', '07')],
  tcp6_only: ['tcp', row('0'.repeat(32), '0A')],
}
const fromTable = (name: Case): Attempt =>
  listing(() => {
    const sockets = parseTable(tables[name][1], tables[name][0]).map(
      ({ protocol, address, port }) => ({ protocol, address, port, pids: [], owners: [] }),
    )
    if (sockets.length !== 1)
      throw new Error(`the socket table was read as ${sockets.length} sockets`)
    return socketExposures(sockets)
  })

/** Sockets that others could reach. They are really open where this machine allows a network namespace. */
export const socketViolations: ViolationGroup = {
  name: 'sockets',
  guard: 'The port audit',
  prepare: async (workspace, signal) => {
    const answers = await inNamespace(workspace, signal)
    if (typeof answers === 'string') {
      const reason = answers === '' ? '' : `: ${answers}`
      return {
        note: `from socket tables, because this machine allows no network namespace${reason}`,
        violations: listed.map((each): Violation => ({
          ...each,
          control: fromTable('loopback'),
          attempt: fromTable(each.name),
        })),
      }
    }
    const seen = (name: Case): Attempt => listing(() => answers.host[name] ?? [])
    /** With the engine `process`: the port of hostd. */
    const hostdPort = (name: Case): Attempt =>
      listing(() => {
        const found = answers.process[name]
        return found === undefined || found.status === 'PASS'
          ? []
          : [{ code: found.status, detail: found.detail }]
      })
    return {
      note: 'really open, in a network namespace',
      violations: listed.flatMap((each): Violation[] => [
        { ...each, control: seen('loopback'), attempt: seen(each.name) },
        ...(each.name === 'udp'
          ? []
          : [
              {
                name: `hostd_${each.name}`,
                what: `${each.what}, on the port of hostd`,
                expected: 'FAIL',
                control: hostdPort('loopback'),
                attempt: hostdPort(each.name),
              },
            ]),
      ]),
    }
  },
}

const nat = (rule: string): Attempt =>
  listing(() =>
    natExposures(
      parseIptablesSave(
        `*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rule}\nCOMMIT\n`,
        '',
      ),
    ),
  )
const target = 'http://127.0.0.1:8877'
const served = {
  hostdPort: 8877,
  consolePort: 8787,
  tailnetSocket: '/run/openclaw/tailnet/hostd.sock',
  dockerSocket: '/run/docker.sock',
  narrowed: false,
}
const web = { 'host.example.ts.net:443': { Handlers: { '/': { Proxy: target } } } }
const serve = (config: object): Attempt =>
  listing(() => serveExposures(parseServeConfig(JSON.stringify(config)), served))

/** Other ways into the host: rules of the packet filter, and what Tailscale serves. */
export const wayViolations: ViolationGroup = {
  name: 'ways_in',
  guard: 'The port audit',
  prepare: () => {
    const [closed, private_] = [
      once(
        nat(
          '-A PREROUTING -d 100.64.0.2/32 -p tcp -m tcp --dport 8788 -j DNAT --to-destination 172.17.0.2:8788',
        ),
      ),
      once(serve({ Web: web })),
    ]
    return Promise.resolve({
      violations: [
        {
          name: 'nat_rule',
          what: 'a NAT rule that forwards a public port',
          expected: 'public_nat',
          control: closed,
          attempt: nat(
            '-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80',
          ),
        },
        {
          name: 'redirect_rule',
          what: 'a rule that redirects a public port to hostd',
          expected: 'public_nat',
          control: closed,
          attempt: nat('-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8877'),
        },
        {
          name: 'funnel',
          what: 'Tailscale Funnel',
          expected: 'funnel',
          control: private_,
          attempt: serve({ Web: web, AllowFunnel: { 'host.example.ts.net:443': true } }),
        },
        {
          name: 'foreground_serve',
          what: 'a foreground session of Tailscale Serve',
          expected: 'foreground_serve',
          control: private_,
          attempt: serve({ Web: web, Foreground: { what: { Web: web } } }),
        },
        {
          name: 'serve_other',
          what: 'Tailscale Serve with something that is not hostd',
          expected: 'serve_target',
          control: private_,
          attempt: serve({
            Web: {
              'host.example.ts.net:443': { Handlers: { '/': { Proxy: 'http://127.0.0.1:9000' } } },
            },
          }),
        },
      ],
    })
  },
}
