// Everything that would make an installation wrong or unsafe, checked before the first change.
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Problem, toProblem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { isLocked } from '#ops/base/files/lock'
import { laneLockFile } from '#ops/core/host-state/locks'
import { listenersOn, programName, socketName } from '#ops/platform/net/sockets'
import { readHostSettings } from '#ops/core/config/settings-files'
import { runHostProgram } from '#ops/base/process/host-program'
import { unitMark } from '#ops/host/install/units/all'
import { unitFolder } from '#ops/host/install/units/unit-settings'

const untouched = 'Nothing was changed.'
const refuse = (why: string): never => {
  throw new Problem('install_refused', `${why} ${untouched}`)
}

/** This host runs systemd, and this process may change it. @throws {Problem} `install_refused` */
export function requireSystemdRoot(): void {
  if (process.platform !== 'linux' || !existsSync('/run/systemd/system'))
    refuse(
      'This host does not run systemd, so hostd cannot be installed as a service. ' +
        '`hq up` runs HQ without installing it.',
    )
  if (process.getuid?.() !== 0) refuse('hostd is installed by root.')
}

/** A unit file cannot name every path, and the units cannot see some folders. */
function requireUsablePaths(paths: HostPaths): void {
  for (const path of [paths.root, paths.etc, paths.state, paths.artifacts]) {
    if (!/^\/[A-Za-z0-9._/-]+$/.test(path))
      refuse(`${path} holds characters that a systemd unit cannot name.`)
    const hidden = [
      '/home',
      '/root',
      '/run/user',
      '/tmp',
      '/var/tmp',
      '/dev',
      '/proc',
      '/sys',
    ].find((folder) => path === folder || path.startsWith(`${folder}/`))
    if (hidden)
      refuse(
        `${path} lies in ${hidden}, which the services of a host do not see. The default is /opt/ai-ops-runner.`,
      )
  }
}

/**
 * The clone belongs to the build account, which could replace every folder in it. So the proof must be a folder right
 * in the clone, where each run mounts it, or elsewhere.
 */
function requireOutsideClone({ root, etc, state, artifacts }: HostPaths): void {
  const inside = (path: string): boolean => `${resolve(path)}/`.startsWith(`${resolve(root)}/`)
  for (const path of [etc, state])
    if (inside(path))
      refuse(`${path} lies in the clone ${root}, which belongs to the build account.`)
  if (inside(artifacts) && dirname(resolve(artifacts)) !== resolve(root))
    refuse(
      `${artifacts} lies deeper in the clone ${root}; it must lie directly in it, or elsewhere.`,
    )
}

/** The owner of these could replace the token, or the code that runs as root. */
function requireOwner(paths: HostPaths): void {
  for (const path of [
    paths.etc,
    join(paths.etc, 'secrets'),
    paths.tokenFile,
    paths.hostSettings,
    paths.state,
    paths.releases,
    paths.locks,
  ]) {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found) continue
    const file = path === paths.tokenFile || path === paths.hostSettings
    if (file ? !found.isFile() : !found.isDirectory())
      refuse(`${path} is not a ${file ? 'regular file' : 'folder'}.`)
    if (found.uid !== 0) refuse(`${path} belongs to user ${found.uid}, not to root.`)
  }
}

/** Invalid settings end the installation before anything is changed. */
function requireSettings(paths: HostPaths): void {
  try {
    readHostSettings(paths)
  } catch (error) {
    refuse(`${toProblem(error).message.replace(/\.$/, '')}.`)
  }
}

/** Units that HQ did not write are not replaced. */
function requireHqUnits(names: readonly string[]): void {
  for (const name of names) {
    const path = join(unitFolder, name)
    if (existsSync(path) && !readFileSync(path, 'utf8').startsWith(unitMark))
      refuse(`${path} was not written by HQ.`)
  }
}

/** The port is free, or held by our own socket unit. */
async function requirePort(port: number): Promise<void> {
  if ((await runHostProgram(['systemctl', 'is-active', 'openclaw-hostd.socket'])).exitCode === 0)
    return
  const [taken] = listenersOn(port)
  if (taken === undefined) return
  const owners = taken.pids.map((pid) => `${programName(pid)} (process ${pid})`).join(', ')
  const holder = owners === '' ? 'a process that cannot be seen' : owners
  refuse(`Port ${port} is taken: ${socketName(taken)} is held by ${holder}.`)
}

/** A deploy installs its own release by the upgrade unit. Two installations at once would mix units and `current`. */
export function requireNoDeploy(paths: HostPaths): void {
  if (isLocked(laneLockFile(paths, 'deploy')))
    refuse(
      'A deploy is running, which may also install hostd. Wait until it has ended, or cancel it.',
    )
}

/** @throws {Problem} `install_refused` */
export async function requireInstallable(
  paths: HostPaths,
  port: number,
  unitNames: readonly string[],
): Promise<void> {
  requireSystemdRoot()
  requireUsablePaths(paths)
  requireOutsideClone(paths)
  requireOwner(paths)
  requireSettings(paths)
  requireHqUnits(unitNames)
  await requirePort(port)
}
