// Which file an entry point runs: the bundle of the program, or its sources.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { releaseMark } from '#ops/base/paths/release-mark'

/** Folder of the bundles, relative to the installation. `scripts/programs.mjs` writes it. */
export const builtPrograms = join('out', 'programs')

/** The file in it that lists the sources of the bundles. */
export const bundledSources = 'sources.json'

/** Size in bytes and time of the last change in milliseconds. */
type Stamp = readonly [size: number, changed: number]

export function stampOf(path: string): Stamp | null {
  const file = statSync(path, { throwIfNoEntry: false })
  return file ? [file.size, file.mtimeMs] : null
}

/**
 * The bundle of a program. It starts in a quarter of the time that the sources take, because Node reads a few files
 * instead of 400 and strips no types. Few modules are imported here for the same reason.
 * @param root folder of the installation
 * @param name of the program, such as `hq`
 * @returns the address to import, or null when the sources must run: no bundle was made, or a source changed since. In
 * a release, and in a packaged app, nothing changes after it is complete, so its bundle is taken as it is.
 */
export function builtProgram(root: string, name: string): string | null {
  const folder = join(root, builtPrograms)
  if (!existsSync(join(folder, bundledSources))) return null
  if (!existsSync(join(root, releaseMark)) && !areFresh(root)) return null
  return pathToFileURL(join(folder, `${name}.mjs`)).href
}

/** True while the bundles exist and no source of them changed since they were made. */
export function areFresh(root: string): boolean {
  const list = join(root, builtPrograms, bundledSources)
  if (!existsSync(list)) return false
  const made = JSON.parse(readFileSync(list, 'utf8')) as Record<string, Stamp>
  return Object.entries(made).every(([path, [size, changed]]) => {
    const now = stampOf(join(root, path))
    // Copies keep their times only to the millisecond.
    return now !== null && now[0] === size && Math.abs(now[1] - changed) < 2
  })
}
