import { execFileSync, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { docker } from '#ops/platform/docker/client'
import { requireDaemon, type Docker } from '#ops/platform/docker/engine-api'
import { nodeProgram } from '#ops/base/process/program'
import { until } from './hostd.ts'

const works = (program: string, args: string[]): boolean => {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false // not there
  }
}

/** Why no Docker of our own can be started here; null when it can. */
export function whyNoDocker(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  if (!works('dockerd', ['--version'])) return 'needs dockerd'
  return works('docker', ['compose', 'version']) ? null : 'needs the Compose plugin'
}

export interface TestDocker {
  readonly at: Docker
  /** An image with Node 24 and what it needs, and nothing else. */
  readonly baseImage: string
  readonly dir: string
  run(...args: string[]): string
  stop(): Promise<void>
}

/** Node and the libraries it names, as the root of a file system: there is no registry here. */
function baseTree(dir: string): void {
  const program = execFileSync('readlink', ['-f', nodeProgram()], { encoding: 'utf8' }).trim()
  const libraries = [
    ...new Set(execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/[^\s]+/g) ?? []),
  ]
  for (const [from, to] of [
    [program, '/usr/bin/node'],
    ...libraries.map((path) => [path, path]),
  ] as [string, string][]) {
    mkdirSync(join(dir, dirname(to)), { recursive: true })
    copyFileSync(from, join(dir, to))
  }
  mkdirSync(join(dir, 'tmp'))
}

/**
 * Addresses for the networks of this process's daemon, of the range that is nobody's (RFC 2544): two daemons that look
 * for a free network of the usual ones at the same moment would both take the first.
 */
const ownPool = (): string =>
  `base=198.${18 + (process.pid & 1)}.${((process.pid >> 1) & 31) * 8}.0/21,size=26`

/**
 * A Docker of its own: data, socket and process list in a folder that goes away with it.
 * @param net enter this network namespace first; without it the daemon leaves the machine's firewall alone
 */
export async function startDocker({ net }: { net?: string } = {}): Promise<TestDocker> {
  const dir = mkdtempSync(join(tmpdir(), 'dockerd-'))
  const socket = join(dir, 'docker.sock')
  const log = join(dir, 'dockerd.log')
  const plain = [
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    '--ip-masq=false',
    '--ip-forward=false',
    '--default-address-pool',
    ownPool(),
  ]
  const dockerd = [
    'setpriv',
    '--pdeathsig',
    'TERM',
    'dockerd',
    '--data-root',
    join(dir, 'data'),
    '--exec-root',
    join(dir, 'exec'),
    '--pidfile',
    join(dir, 'pid'),
    '--host',
    `unix://${socket}`,
    ...(net === undefined ? plain : []),
  ]
  const [program = '', ...args] =
    net === undefined ? dockerd : ['nsenter', `--net=/run/netns/${net}`, ...dockerd]
  const child = spawn('sh', ['-c', 'exec "$@" >"$0" 2>&1', log, program, ...args], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], HOME: dir },
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  const at: Docker = { socket }
  const run = (...args: string[]): string =>
    execFileSync('docker', ['--host', `unix://${socket}`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: dir },
    }).trim()
  const stop = async (): Promise<void> => {
    const ids = (await docker(at, ['ps', '--all', '--quiet'])).stdout
      .split('\n')
      .filter((id) => id !== '')
    if (ids.length > 0)
      await docker(at, ['rm', '--force', '--volumes', ...ids], { timeLimitSeconds: 300 })
    await docker(at, ['network', 'prune', '--force'], { timeLimitSeconds: 60 })
    child.kill('SIGTERM')
    await Promise.race([
      ended,
      new Promise((resolve) => {
        setTimeout(resolve, 60_000).unref()
      }),
    ])
    child.kill('SIGKILL')
    await ended
    for (const mount of readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${dir}/`))
      .toReversed())
      works('umount', ['-l', mount])
    // what it had started may be ending still
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
  try {
    await until(
      'dockerd',
      async () => {
        if (child.exitCode !== null)
          throw new Error(`dockerd ended: ${readFileSync(log, 'utf8').slice(-2000)}`)
        return (
          existsSync(socket) &&
          (await docker(at, ['version', '--format', '{{.Server.Version}}'])).exitCode === 0
        )
      },
      300,
    )
    await requireDaemon(at)
    const tree = join(dir, 'base')
    baseTree(tree)
    execFileSync('tar', ['-C', tree, '-cf', join(dir, 'base.tar'), '.'])
    run('import', '--change', 'ENV PATH=/usr/bin', join(dir, 'base.tar'), 'hq-test-base:24')
    for (const left of [tree, join(dir, 'base.tar')]) rmSync(left, { recursive: true, force: true })
  } catch (error) {
    await stop()
    throw error
  }
  return { at, dir, run, stop, baseImage: 'hq-test-base:24' }
}

/** A web program of one file; `message` is what distinguishes its versions. */
export const webProgram = `
const { createServer } = require('node:http')
const { readFileSync } = require('node:fs')
const message = readFileSync(__dirname + '/message.txt', 'utf8').trim()
if (message === 'crash') { console.error('Error: it does not start'); process.exit(7) }
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ ok: message !== 'sick', message, commit: process.env.OPENCLAW_GIT_HEAD ?? null }))
})
server.listen(3000, '0.0.0.0')
process.once('SIGTERM', () => server.close(() => process.exit(0)) && server.closeAllConnections())
`

export const webDockerfile = `ARG BASE_IMAGE=hq-test-base:24
FROM \${BASE_IMAGE}
ARG OPENCLAW_GIT_HEAD=unknown
LABEL OPENCLAW_GIT_HEAD=\${OPENCLAW_GIT_HEAD}
ENV OPENCLAW_GIT_HEAD=\${OPENCLAW_GIT_HEAD}
COPY server.cjs message.txt /srv/
CMD ["node", "/srv/server.cjs"]
`

/** Asks its own address inside the container. It is run every second, so it loads no more than it needs. */
const webHealthTest = [
  'CMD',
  'node',
  '-e',
  `
  require('node:http').get('http://127.0.0.1:3000/', (answer) => {
    let text = ''
    answer.on('data', (chunk) => { text += chunk }).on('end', () => process.exit(JSON.parse(text).ok ? 0 : 1))
  }).on('error', () => process.exit(1))`,
]
/** A program that answers is well however slow the machine; one that is stopped is found out after five times this. */
const webHealthTimeout = '30s'

/**
 * Writes a project of two services: `web` with an address, and `side`, which does not change with the commit.
 * @param healthTimeout of one health check of `web`, where a test waits for a stopped one to be found out
 */
export function composeProject(
  message: string,
  {
    web = {},
    services = {},
    networks = {},
    files = {},
    healthTimeout = webHealthTimeout,
  }: {
    web?: object
    services?: Record<string, object | null>
    networks?: Record<string, object>
    files?: Record<string, string>
    healthTimeout?: string
  } = {},
): Record<string, string> {
  const compose = {
    services: Object.fromEntries(
      Object.entries({
        web: {
          build: './web',
          ports: ['127.0.0.1:${PORT_WEB}:3000'],
          init: true,
          healthcheck: { test: webHealthTest, interval: '1s', retries: 5, timeout: healthTimeout },
          ...web,
        },
        side: { build: './side', init: true },
        ...services,
      }).filter(([, service]) => service !== null),
    ),
    networks,
  }
  return {
    'compose.yaml': JSON.stringify(compose, null, 2),
    'web/Dockerfile': webDockerfile,
    'web/server.cjs': webProgram,
    'web/message.txt': message,
    'side/Dockerfile': 'FROM hq-test-base:24\nCMD ["node", "-e", "setInterval(() => 0, 1000)"]\n',
    ...files,
  }
}

export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
