import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request as httpRequest, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hostClient, type HostClient } from '#ops/host/hostd-client/index'
import { hostPaths, hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { endTree, members } from '#ops/base/process/process-tree'
import { nodeProgram } from '#ops/base/process/program'
import { compileCache } from './compile-cache.ts'
import { freePort } from './ports.ts'

const repository = process.cwd()

/**
 * Polls until `probe` gives something that is not null, undefined or false. @throws after `seconds`, naming what was
 * waited for
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  seconds = 120,
): Promise<NonNullable<T>> {
  for (const end = Date.now() + seconds * 1000; ;) {
    const found = await probe()
    if (found !== null && found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}

/** Name of the test host in a tailnet. */
const tailnetName = 'test-host.tail.example'

/** A host of its own in a temporary folder: root, etc, state, artifacts, token. */
export interface TestHost {
  readonly dir: string
  readonly paths: HostPaths
  readonly token: string
  /** Environment in which a program of HQ works on this host. */
  readonly env: Record<string, string>
  /** Every process that was started for this host, by hostd, runner or action. */
  processes(): number[]
  /** Ends whatever is left and removes the folder. */
  remove(): Promise<void>
}

/**
 * @param install folder in which hostd and runner find HQ's programs; see `scriptedInstall`
 * @param settings content of host.json
 */
export function testHost({
  install = repository,
  settings = {},
}: { install?: string; settings?: Record<string, unknown> } = {}): TestHost {
  const dir = mkdtempSync(join(tmpdir(), 'openclaw-host-'))
  const paths = hostPaths({
    OPENCLAW_ROOT: join(dir, 'root'),
    OPENCLAW_ETC: join(dir, 'etc'),
    OPENCLAW_STATE: join(dir, 'state'),
    OPENCLAW_SOCKETS: join(dir, 'sockets'),
  })
  const token = randomBytes(24).toString('hex')
  mkdirSync(paths.artifacts, { recursive: true })
  mkdirSync(join(paths.etc, 'secrets'), { recursive: true, mode: 0o755 })
  writeFileSync(paths.tokenFile, `${token}\n`, { mode: 0o640 })
  writeFileSync(
    paths.hostSettings,
    JSON.stringify({ name: 'test-host', hostnames: [tailnetName], ...settings }),
  )
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: dir,
    ...compileCache,
    LANG: 'C.UTF-8',
    ...hostPathsEnv(paths),
    OPENCLAW_HQ_INSTALL: install,
  }
  // The state folder is in the environment of every process of this host, and in that of no other.
  const marker = `OPENCLAW_STATE=${paths.state}`
  return {
    dir,
    paths,
    token,
    env,
    processes: () => members({ marker }),
    remove: async () => {
      await endTree({ marker }, 500)
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/**
 * An install folder whose actions are scripts of the test: the real hostd and the real runner, started from it, run
 * `actions/<command>.mjs` where HQ's own command would run. A script may import `./kit.mjs`:
 * `emit(event)`, `log(text)`, `finish(overall, fields?, exitCode?)` (last event and exit), `gate(name)` (waits until
 * the test opens it).
 */
export function scriptedInstall(
  dir: string,
  scripts: Readonly<Record<string, string>>,
): { install: string; open(gate: string): void } {
  const install = join(dir, 'install')
  const gates = join(install, 'gates')
  for (const folder of ['ops', 'actions', 'gates'])
    mkdirSync(join(install, folder), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(install, 'node_modules'))
  writeFileSync(join(install, 'package.json'), readFileSync(join(repository, 'package.json')))
  const real = pathToFileURL(join(repository, 'ops/main.ts')).href
  writeFileSync(
    join(install, 'ops/main.ts'),
    `await import(process.argv[2] === 'runner' ? ${JSON.stringify(real)} : new ` +
      `URL('../actions/' + process.argv[2] + '.mjs', import.meta.url).href)\n`,
  )
  writeFileSync(join(install, 'actions/kit.mjs'), kit(gates))
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(join(install, 'actions', `${name}.mjs`), text)
  return { install, open: (gate) => writeFileSync(join(gates, gate), '') }
}

const kit = (gates: string): string => `
import { existsSync, writeSync } from 'node:fs'
const run_id = process.env.OPENCLAW_RUN_ID
const time = () => new Date().toISOString()
const started_at = time()
export const emit = (event) => {
  const line = Buffer.from(JSON.stringify({ time: time(), ...event }) + '\\n')
  for (let done = 0; done < line.length;) done += writeSync(3, line, done)
}
export const log = (text) => emit({ type: 'log', step: null, stream: 'hq', text })
export const document = (overall, fields = {}) => ({
  schema_version: 1, run_id, overall, step_failed: null, error_class: null, next_auto_fix: null,
  git_head: null, git_tree: null, started_at, finished_at: time(), steps: [], artifacts: {}, ...fields,
})
export const finish = (overall, fields = {}, code = overall === 'PASS' ? 0 : 1) => {
  emit({ type: 'run_finished', result: document(overall, fields) })
  process.exit(code)
}
export const gate = async (name) => {
  while (!existsSync(${JSON.stringify(gates)} + '/' + name)) await new Promise((resolve) => setTimeout(resolve, 20))
}
`

export interface TestHostd {
  readonly host: TestHost
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly client: HostClient
  /** A request with the token; the answer's status and JSON. */
  request(
    path: string,
    init?: {
      method?: string
      headers?: Record<string, string>
      body?: unknown
      token?: string | null
    },
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>
  /** The socket that tailscaled connects to, and the headers that it adds for a node of a user. */
  readonly tailnet: { readonly socketPath: string; headers(login: string): Record<string, string> }
  /** What it has written on standard error. */
  said(): string
  /** Ends it as a service manager does; the runs go on. */
  stop(): Promise<number | null>
  /** kill -9 */
  kill(): Promise<void>
}

/** A real hostd process on a port of its own (or on `port`, to come back where it was). */
export async function startHostd(
  host: TestHost,
  { port, env = {} }: { port?: number; env?: Record<string, string> } = {},
): Promise<TestHostd> {
  const socketPath = join(host.dir, 'tailnet', 'hostd.sock')
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 })
  const child = spawnHostd({
    ...host.env,
    OPENCLAW_HOSTD_TAILNET_SOCKET: socketPath,
    OPENCLAW_HOSTD_PORT: String(port ?? (await freePort())),
    ...env,
  })
  const exited = exitOf(child)
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const line = await until('hostd to be ready', async () => {
    if (child.exitCode !== null || child.signalCode !== null) {
      await exited
      throw new Error(`hostd ended with ${String(child.exitCode)}: ${err}`)
    }
    return out.includes('\n') ? out.slice(0, out.indexOf('\n')) : null
  })
  const { url } = JSON.parse(line) as { url: string }
  return {
    host,
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    tailnet: {
      socketPath,
      headers: (login) => ({
        Host: 'localhost',
        'X-Forwarded-Host': tailnetName,
        'X-Forwarded-For': '100.64.0.2',
        'Tailscale-User-Login': login,
        'X-OpenClaw-Admin-Token': host.token,
      }),
    },
    said: () => err,
    client: hostClient({ url, token: () => host.token }),
    request: async (path, { method = 'GET', headers = {}, body, token = host.token } = {}) => {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(token === null ? {} : { 'x-openclaw-admin-token': token }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return {
        status: answer.status,
        body: JSON.parse(await answer.text()) as Record<string, unknown>,
        headers: answer.headers,
      }
    },
    stop: async () => {
      child.kill('SIGTERM')
      return (await exited).code
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

const exitOf = (child: ChildProcess): Promise<{ code: number | null }> =>
  new Promise((resolve) => {
    child.once('exit', (code) => resolve({ code }))
  })
const spawnHostd = (env: Record<string, string>): ChildProcess =>
  spawn(nodeProgram(repository), [join(repository, 'hostd/main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** Node tells it, but not in its types. */
const descriptorOf = (server: Server): number =>
  (server as unknown as { _handle: { fd: number } })._handle.fd

/** hostd with sockets that it is passed as systemd passes them: from descriptor 3 on. */
const spawnWithSockets = (env: Record<string, string>, sockets: readonly Server[]): ChildProcess =>
  spawn(
    'sh',
    [
      '-c',
      `LISTEN_PID=$$ LISTEN_FDS=${sockets.length} exec "$0" "$1"`,
      nodeProgram(repository),
      join(repository, 'hostd/main.ts'),
    ],
    { env, stdio: ['ignore', 'pipe', 'pipe', ...sockets.map(descriptorOf)] },
  )

/** Runs hostd until it ends by itself. @param sockets those that it is passed */
export async function hostdRefusal(
  env: Record<string, string>,
  sockets: readonly Server[] = [],
): Promise<{ code: number | null; out: string; err: string }> {
  const child = sockets.length > 0 ? spawnWithSockets(env, sockets) : spawnHostd(env)
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 120_000)
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', (status) => resolve(status))
  })
  clearTimeout(timer)
  return { code, out, err }
}

/** Runs `hq <args>` on this host to its end. */
export async function hq(
  host: TestHost,
  args: readonly string[],
  env: Record<string, string> = {},
  input?: string | Buffer,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(nodeProgram(repository), [join(repository, 'ops/main.ts'), ...args], {
    env: { ...host.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', (status) => resolve(status))
  })
  return { code, out, err }
}

/** A request written by hand, where `fetch` would tidy it up: doubled headers, odd paths, any Host. */
export async function rawRequest(
  target: { port: number } | { socketPath: string },
  {
    method = 'GET',
    path,
    headers,
    body,
  }: { method?: string; path: string; headers: readonly string[]; body?: string },
): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        ...target,
        host: '127.0.0.1',
        method,
        path,
        headers: headers as unknown as Record<string, string>,
        setHost: false,
        agent: false,
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
        answer.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Every file below a folder, with its content. */
export function allFiles(dir: string): { path: string; text: string }[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return { path, text: readFileSync(path, 'latin1') }
    })
}
