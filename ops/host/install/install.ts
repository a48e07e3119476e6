// The installation of HQ on a host: the order of its changes.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem, toProblem } from '#shared/errors'
import { writeWhole } from '#ops/base/files/json-file'
import { withLock } from '#ops/base/files/lock'
import type { HostPaths } from '#ops/base/paths/paths'
import { currentRelease, releaseVersion, switchCurrent } from '#ops/core/host-state/releases'
import { readHostSettings } from '#ops/core/config/settings-files'
import { accountOf, accounts } from '#ops/platform/accounts/accounts'
import { applyDue, type Change } from '#ops/platform/accounts/change'
import { cloneChange, cloneFolderChange } from './clone.ts'
import { dockerSettingsChange } from './docker.ts'
import { planPublication, publish, tailnetNamesChange } from './publish.ts'
import { deployKeyChange, fileChange, settingsChange, tokenChanges } from './files.ts'
import { buildHome, folderChange, hostFolders } from '#ops/platform/accounts/folders'
import { requireHostProgram } from '#ops/base/process/host-program'
import { requireInstallable, requireNoDeploy } from './preconditions.ts'
import { isRelease, releaseOf, type Release } from './release.ts'
import {
  requireHealth,
  restartHostd,
  restartSockets,
  servedVersion,
  serviceChanges,
} from './services.ts'
import { allUnits, hostdUnit } from '#ops/host/install/units/all'
import { buildUser, hostdUser } from '#ops/platform/accounts/account'
import { unitFolder } from '#ops/host/install/units/unit-settings'

/**
 * Installs hostd, the runner and the timers on this host, or updates them. Only what differs is changed, so a second
 * installation changes nothing and restarts nothing.
 *
 * @param source package of HQ that becomes the release
 * @param origin address to clone when there is no clone yet; null makes no clone
 * @param say called with each change once it is made
 * @param note called with what could not be done and stops nothing
 * @returns what was changed
 * @throws {Problem} `install_refused` before anything was changed; `install_failed`; `hostd_unhealthy`, after the
 *   release that ran before was put back, with its units
 */
export async function installHostd(installation: Installation): Promise<readonly Change[]> {
  const { paths, port, source } = installation
  await requireInstallable(paths, port, Object.keys(allUnits({ paths, port })))
  // From one of the host's own releases it is the deploy that installs, or a person who goes back to an older one.
  if (!isRelease(paths, source)) requireNoDeploy(paths)
  const release = releaseOf(paths, source)
  const busy = (): Problem =>
    new Problem(
      'install_refused',
      'Another installation is under way on this host. Nothing was changed.',
    )
  return await withLock(join(paths.locks, 'install.lock'), { waitMs: 0, busy }, () =>
    install(installation, release),
  )
}

interface Installation {
  readonly paths: HostPaths
  readonly port: number
  readonly source: string
  readonly origin: string | null
  readonly say: (did: string) => void
  /** Called with what could not be done and stops nothing. */
  readonly note: (why: string) => void
}

async function install(
  { paths, port, origin, say, note }: Installation,
  release: Release,
): Promise<readonly Change[]> {
  const units = allUnits({ paths, port })
  const done: Change[] = []
  const apply = async (changes: readonly Change[]): Promise<Change[]> => {
    const made = await applyDue(changes, say)
    done.push(...made)
    return made
  }

  await apply(accounts(paths))
  const hostd = await accountOf(hostdUser)
  const build = await accountOf(buildUser)
  await apply([
    cloneFolderChange(paths, { ...build, home: buildHome(paths) }),
    ...hostFolders(paths, { hostd, build }).map(folderChange),
  ])
  await apply(tokenChanges(paths, hostd))
  await apply([deployKeyChange(paths)])
  const settings = await apply([settingsChange(paths), dockerSettingsChange(paths)])
  const publication = await planPublication(paths, readHostSettings(paths))
  settings.push(...(await apply([tailnetNamesChange(paths, publication)])))
  const released = await apply(release.changes)
  const unitsBefore = Object.keys(units)
    .map((name) => join(unitFolder, name))
    .map((path) => ({ path, text: existsSync(path) ? readFileSync(path, 'utf8') : null }))
  const written = await apply(
    Object.entries(units).map(([name, text]) => fileChange(join(unitFolder, name), text)),
  )
  if (written.length > 0) await requireHostProgram(['systemctl', 'daemon-reload'])
  if (written.some(({ about }) => about?.endsWith('.socket'))) await restartSockets()
  const services = await apply(serviceChanges(paths))
  const restart =
    settings.length + released.length > 0 ||
    written.some(({ about }) => about?.endsWith(`/${hostdUnit}`))
  const version = releaseVersion(release.folder)
  // Also when an installation was ended between the new release and the restart.
  const due = async (): Promise<boolean> => restart || (await servedVersion(port)) !== version
  if (!services.some(({ about }) => about === hostdUnit))
    await apply([{ did: 'restarted hostd', due, apply: restartHostd }])
  if (done.length > 0) await requireHealthOrGoBack()
  done.push(...(await publish(publication, { paths, port, say, note })))
  if (origin !== null) await apply([cloneChange(paths, origin)])
  return done

  async function requireHealthOrGoBack(): Promise<void> {
    try {
      await requireHealth(port, version)
    } catch (error) {
      if (release.previous === null || released.length === 0) throw error
      switchCurrent(paths, release.previous)
      await putUnitsBack()
      await restartHostd()
      say(`put ${currentRelease(paths)} back to ${release.previous}: ${toProblem(error).message}`)
      throw error
    }
  }

  async function putUnitsBack(): Promise<void> {
    const changed = unitsBefore.filter(({ path }) => written.some(({ about }) => about === path))
    for (const { path, text } of changed) {
      if (text === null) rmSync(path, { force: true })
      else writeWhole(path, text)
    }
    if (changed.length > 0) await requireHostProgram(['systemctl', 'daemon-reload'])
    if (changed.some(({ path }) => path.endsWith('.socket'))) await restartSockets()
  }
}
