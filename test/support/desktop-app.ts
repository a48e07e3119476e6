import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { _electron, chromium, type Page } from 'playwright'
import { endTree, members } from '#ops/base/process/process-tree'
import { installRoot } from '#ops/base/process/program'
import { pageMs } from './browser.ts'

type Electron = typeof import('electron')

/** The built desktop app, running. */
export interface DesktopApp {
  readonly kind: 'electron' | 'standin'
  readonly pid: number
  /** The window, once it shows its page. */
  window(): Promise<Page>
  /** Runs a function in the main process. */
  evaluate<R, A>(work: (electron: Electron, argument: A) => R, argument: A): Promise<Awaited<R>>
  /** Resolves with the exit code when the app has ended by itself. */
  ended(): Promise<number | null>
  /** Processes of the app that live. */
  processes(): number[]
  /** Ends whatever is left and removes its folder. Never hangs. */
  close(): Promise<void>
}

const closeMs = 10_000

/** The Electron program, where one was installed, or the test has one for itself. */
function electronProgram(): string | null {
  const forTests = process.env['DESKTOP_TEST_ELECTRON']
  if (forTests !== undefined) return forTests
  const folder = join(installRoot(), 'node_modules', 'electron')
  const named = join(folder, 'path.txt')
  if (!existsSync(named)) return null
  const program = join(folder, 'dist', readFileSync(named, 'utf8').trim())
  return existsSync(program) ? program : null
}

function chromiumProgram(): string {
  const found = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    chromium.executablePath(),
  ].find((path) => existsSync(path))
  if (found === undefined)
    throw new Error('there is no Chromium on this machine; `npm test` installs one')
  return found
}

/**
 * Starts the built app: in Electron where there is one, else in the stand-in over Chromium.
 * @param env variables on top of PATH and HOME
 * @param keyring false: as on a Linux without one
 */
export async function launchDesktop(
  env: Readonly<Record<string, string>>,
  { keyring = true }: { keyring?: boolean } = {},
): Promise<DesktopApp> {
  const folder = mkdtempSync(join(tmpdir(), 'desktop-app-'))
  // In every process of this app, and in no other.
  const marker = `DESKTOP_APP=${folder}`
  const bus = process.env['DBUS_SESSION_BUS_ADDRESS']
  const all = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    DISPLAY: process.env['DISPLAY'] ?? '',
    LANG: 'C.UTF-8',
    DESKTOP_APP: folder,
    ...(bus === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: bus }),
    ...env,
  }
  const program = electronProgram()
  const app =
    program === null
      ? await standin(folder, {
          ...all,
          STANDIN_KEYRING: keyring ? 'gnome_libsecret' : 'basic_text',
        })
      : await electron(program, folder, all, [
          `--password-store=${keyring ? 'gnome-libsecret' : 'basic'}`,
        ])
  const processes = (): number[] => members({ marker })
  return {
    ...app,
    processes,
    close: async () => {
      await Promise.race([
        app.quit().catch(() => undefined),
        delay(closeMs, undefined, { ref: false }),
      ]) // what did not quit is ended below
      await endTree({ marker }, 500)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

type Started = Omit<DesktopApp, 'processes' | 'close'> & { quit(): Promise<void> }

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode)
    else child.once('exit', resolve)
  })

async function electron(
  executablePath: string,
  folder: string,
  env: Record<string, string>,
  switches: readonly string[],
): Promise<Started> {
  const root = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const newer =
    process.env['DESKTOP_TEST_ELECTRON'] === undefined
      ? []
      : ['-r', join(installRoot(), 'test', 'support', 'real-electron', 'newer.cjs')]
  const app = await _electron.launch({
    executablePath,
    cwd: installRoot(),
    args: [...root, ...switches, ...newer, installRoot(), `--user-data-dir=${folder}`],
    env,
    timeout: 180_000,
  })
  app.context().setDefaultTimeout(pageMs)
  const ended = exitOf(app.process())
  return {
    kind: 'electron',
    pid: app.process().pid ?? 0,
    window: async () => {
      const page = await app.firstWindow()
      await page.waitForURL((url) => url.href !== 'about:blank')
      return page
    },
    ended: () => ended,
    evaluate: (work, argument) => app.evaluate(work as never, argument as never) as never,
    quit: () => app.close(),
  }
}

async function standin(folder: string, env: Record<string, string>): Promise<Started> {
  const child = fork(
    join(installRoot(), 'out', 'main', 'index.js'),
    [`--user-data-dir=${folder}`],
    {
      cwd: installRoot(),
      env: { ...env, STANDIN_CHROMIUM: chromiumProgram() },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execPath: process.execPath,
      execArgv: [
        '--import',
        join(installRoot(), 'test', 'support', 'electron-standin', 'register.mjs'),
      ],
    },
  )
  const ended = exitOf(child)
  const [ready] = (await Promise.race([
    once(child, 'message'),
    ended.then((code) => {
      throw new Error(`the app ended with ${code} before it was ready`)
    }),
  ])) as [{ endpoint: string }]
  const browser = await chromium.connectOverCDP(ready.endpoint, { timeout: 180_000 })
  const [context] = browser.contexts()
  if (!context) throw new Error('Chromium has no window context')
  context.setDefaultTimeout(pageMs)
  let asked = 0
  return {
    kind: 'standin',
    pid: child.pid ?? 0,
    ended: () => ended,
    window: async () => {
      const page = context.pages()[0] ?? (await context.waitForEvent('page'))
      await page.waitForURL((url) => url.href !== 'about:blank')
      return page
    },
    evaluate: (work, argument) =>
      new Promise((resolve, reject) => {
        asked += 1
        const id = asked
        const hear = (message: { id?: number; value?: unknown; error?: string }): void => {
          if (message.id !== id) return
          child.off('message', hear)
          if (message.error === undefined) resolve(message.value as never)
          else reject(new Error(message.error))
        }
        child.on('message', hear)
        child.send({ id, source: String(work), argument })
      }),
    quit: async () => {
      child.kill('SIGTERM')
      await ended
      await browser.close()
    },
  }
}
