import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from './operator-bench.ts'
import { screen, xvfb } from './sign-in-bench.ts'

const password = 'password of the test keyring'
const programs = ['dbus-daemon', 'gnome-keyring-daemon', 'gdbus']
const login = '/org/freedesktop/secrets/collection/login'

/** Why no session can be had here; null when it can. */
export function whyNoDesktopSession(): string | null {
  const missing = programs.filter((program) => !existsSync(join('/usr/bin', program)))
  if (xvfb === undefined) missing.push('Xvfb')
  return missing.length === 0 ? null : `needs ${missing.join(', ')}`
}

/** What a person who signed in has: a screen, a session bus, and a keyring that is unlocked. */
export interface DesktopSession {
  readonly env: Readonly<{ DISPLAY: string; DBUS_SESSION_BUS_ADDRESS: string }>
  lock(): void
  /** As the person does it at the prompt. The daemon is another one from then on. */
  unlock(): Promise<void>
  close(): Promise<void>
}

export async function desktopSession(): Promise<DesktopSession> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'desktop-session-')))
  const { server, display } = await screen()
  const configuration = join(home, 'bus.conf')
  writeFileSync(configuration, busConfiguration(home))
  const bus = spawn(
    'dbus-daemon',
    [`--config-file=${configuration}`, '--nofork', '--print-address'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const env = { DISPLAY: display, DBUS_SESSION_BUS_ADDRESS: await firstLine(bus) }
  const all = { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: home, ...env }
  const start = (): ChildProcess => {
    const child = spawn(
      'gnome-keyring-daemon',
      ['--foreground', '--unlock', '--components=secrets'],
      { env: all, stdio: ['pipe', 'ignore', 'ignore'] },
    )
    child.stdin.end(password)
    return child
  }
  let daemon = start()
  const toSecrets = ['call', '--session', '--timeout', '10', '--dest', 'org.freedesktop.secrets']
  const call = (path: string, method: string, ...args: string[]): string =>
    execFileSync('gdbus', toSecrets.concat(['--object-path', path, '--method', method], args), {
      env: all,
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const ready = (): Promise<unknown> =>
    until('the keyring is unlocked', () => {
      try {
        const property = ['org.freedesktop.Secret.Collection', 'Locked']
        return call(login, 'org.freedesktop.DBus.Properties.Get', ...property).includes('false')
      } catch {
        return false // it has not started yet
      }
    })
  await ready()
  return {
    env,
    lock: () => {
      call('/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.Lock', `['${login}']`)
    },
    unlock: async () => {
      await end(daemon)
      daemon = start()
      await ready()
    },
    close: async () => {
      for (const each of [daemon, bus, server]) await end(each)
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Without folders of services: the bus would start another keyring before ours has its name. */
const busConfiguration = (home: string): string => `<busconfig>
  <type>session</type>
  <listen>unix:dir=${home}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout) for await (const line of createInterface(child.stdout)) return line
  throw new Error(`${child.spawnfile} ended without a line`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
