import { envValue, inheritedVariables, wholeEnvironment } from '#ops/base/env'
import { join, resolve } from 'node:path'
import { createConnection } from 'node:net'
import { z } from 'zod'
import { readAdminToken } from '#ops/core/config/admin-token'
import { baseEnv } from '#ops/base/process/command'
import { tryLock } from '#ops/base/files/lock'
import { hostPathsEnv } from '#ops/base/paths/paths'
import { endTree } from '#ops/base/process/process-tree'
import { installRoot, programArgv } from '#ops/base/process/program'
import { resumeServices, stopServices } from '#ops/host/engines/process/resume'
import { sayError } from '#ops/base/redact/crash-output'
import { enrol, gitDaemonFolder, openSandbox, scriptedReviewUrl, type Sandbox } from './sandbox.ts'
import { supervise, type Supervised } from './supervise.ts'

export interface UpOptions {
  readonly root: string
  readonly open: boolean
  readonly scriptedReview?: boolean
}

const say = sayError
const readyLine = z.looseObject({ ready: z.literal(true), url: z.string() })

/** The ready line of hostd, `hq serve` or the scripted review; null for any other line. */
function ready(line: string): z.infer<typeof readyLine> | null {
  if (!line.startsWith('{')) return null
  const parsed = readyLine.safeParse(JSON.parse(line))
  return parsed.success ? parsed.data : null
}

/**
 * `hq up`: runs the local demo. Everything that it makes lies in one folder, which a second start opens again. It runs
 * until a signal stops it, or until the HQ window is closed.
 */
export async function run({
  root: given,
  open,
  scriptedReview = false,
}: UpOptions): Promise<number> {
  const root = resolve(given)
  const lock = tryLock(join(root, 'up.lock'))
  if (!lock) {
    say(`The demo in ${root} is running already; its window and its address still work.`)
    return 2
  }
  const processes: Supervised[] = []
  const stopped = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stopped.resolve())
  let sandbox: Sandbox | null = null
  try {
    // What an earlier start left when it was killed. Runs and services of the host have no marker and continue.
    await endTree({ marker: marker(root).join('=') })
    say('Opening the sandbox')
    sandbox = await openSandbox(root, { scriptedReview })
    if (scriptedReview) await startScriptedReview(sandbox, processes)
    await startGitDaemon(sandbox, processes)
    const hostd = await startHostd(sandbox, processes)
    await resumeServices(sandbox.host)
    enrol(sandbox.hqHome, {
      name: 'aiops-1 (sandbox)',
      url: hostd,
      token: readAdminToken(sandbox.host.tokenFile),
    })
    await startHq(sandbox, { open, onClosed: stopped.resolve }, processes)
    say(`Repository to edit: ${sandbox.laptop}`)
    say(`Console of the host: http://127.0.0.1:${sandbox.ports.console}/ (after the first deploy)`)
    say(`Sample app: http://127.0.0.1:${sandbox.ports.app}/ (after the first deploy)`)
    say('Ctrl-C stops the demo; the next start opens the same sandbox again.')
    await stopped.promise
    say('Stopping the demo')
    return 0
  } finally {
    for (const each of processes.toReversed()) await each.stop()
    if (sandbox) await stopServices(sandbox.host)
    lock.release()
  }
}

const marker = (root: string): [string, string] => ['OPENCLAW_SANDBOX', root]
const marked = (root: string, extra: Record<string, string> = {}): Record<string, string> => {
  const [name, value] = marker(root)
  return baseEnv({ OPENCLAW_HQ_INSTALL: installRoot(), [name]: value, ...extra })
}

async function startScriptedReview(
  { root, ports }: Sandbox,
  processes: Supervised[],
): Promise<void> {
  processes.push(
    await supervise({
      name: 'scripted review',
      argv: programArgv('scripted-review', ['--port', String(ports.review)]),
      cwd: root,
      env: marked(root),
      logFile: join(root, 'log', 'scripted-review.log'),
      readyWithinSeconds: 20,
      onExit: 'restart',
      onLine: (line) => ready(line)?.url === scriptedReviewUrl(ports.review),
    }),
  )
}

const answers = (port: number) => (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

async function startGitDaemon({ root, ports }: Sandbox, processes: Supervised[]): Promise<void> {
  const folder = gitDaemonFolder(root)
  processes.push(
    await supervise({
      name: 'git daemon',
      cwd: root,
      env: marked(root),
      logFile: join(root, 'log', 'git-daemon.log'),
      readyWithinSeconds: 20,
      onExit: 'restart',
      argv: [
        'git',
        'daemon',
        '--listen=127.0.0.1',
        `--port=${ports.git}`,
        '--reuseaddr',
        '--export-all',
        `--base-path=${folder}`,
        folder,
      ],
      isUp: answers(ports.git),
    }),
  )
}

async function startHostd(
  { root, host, ports }: Sandbox,
  processes: Supervised[],
): Promise<string> {
  let url = ''
  processes.push(
    await supervise({
      name: 'hostd',
      argv: programArgv('hostd'),
      cwd: root,
      logFile: join(root, 'log', 'hostd.log'),
      readyWithinSeconds: 30,
      onExit: 'restart',
      env: marked(root, { ...hostPathsEnv(host), OPENCLAW_HOSTD_PORT: String(ports.hostd) }),
      onLine: (line) => {
        url = ready(line)?.url ?? url
        return url !== ''
      },
    }),
  )
  return url
}

async function startHq(
  { root, hqHome, ports }: Sandbox,
  { open, onClosed }: { open: boolean; onClosed: () => void },
  processes: Supervised[],
): Promise<void> {
  const own = { OPENCLAW_HQ_HOME: hqHome, OPENCLAW_HQ_DEMO: '1' }
  const electron = envValue('OPENCLAW_ELECTRON')
  const logFile = join(root, 'log', 'hq.log')
  if (electron !== undefined && open) {
    const env = Object.fromEntries(
      Object.entries({ ...wholeEnvironment(), ...marked(root, own) }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    )
    processes.push(
      await supervise({
        name: 'HQ',
        argv: [electron, installRoot(), `--user-data-dir=${join(hqHome, 'electron')}`],
        cwd: root,
        env,
        logFile,
        readyWithinSeconds: 60,
        isUp: async () => true,
        onExit: onClosed,
      }),
    )
    say('HQ is open in its window.')
    return
  }
  // What opening a browser needs of the desktop session, and nothing else of this environment.
  const display = inheritedVariables([
    'DISPLAY',
    'WAYLAND_DISPLAY',
    'XAUTHORITY',
    'XDG_RUNTIME_DIR',
    'DBUS_SESSION_BUS_ADDRESS',
    'BROWSER',
    'CODEX_HOME',
    'OPENAI_API_KEY',
  ])
  processes.push(
    await supervise({
      name: 'HQ',
      argv: programArgv('serve', [
        '--port',
        String(ports.hq),
        ...(open ? ['--open'] : []),
        '--json',
      ]),
      cwd: root,
      env: marked(root, { ...own, ...display }),
      logFile,
      readyWithinSeconds: 30,
      onExit: 'restart',
      onLine: (line) => {
        const found = ready(line)
        if (found) process.stdout.write(`HQ: ${found.url}\n`)
        return found !== null
      },
    }),
  )
}
