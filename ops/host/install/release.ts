// A release made of an HQ package: copied whole, named after its content, and made current.
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { parseJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { areFresh, builtPrograms, bundledSources } from '#ops/base/process/built-program'
import { isLaptopPackage } from '#ops/core/host-state/laptop-packages'
import {
  currentFolder,
  markComplete,
  pruneReleases,
  readMark,
  switchCurrent,
  unfinished,
} from '#ops/core/host-state/releases'
import { takeTreeBack, type RunAs } from '#ops/base/process/run-as'
import type { Change } from '#ops/platform/accounts/change'

const rootAccount: RunAs = { uid: 0, gid: 0, home: '/root' }

/** What a host needs of the package. A package that was never built lacks the console's page and the bundles. */
const required = ['package.json', 'package-lock.json', 'shared', 'ops', 'hostd']
/** Bundles of other sources than these stay behind: in a release they would run, because nothing is compared there. */
const partsOf = (source: string): string[] => [
  ...required,
  join('out', 'renderer'),
  ...(areFresh(source) ? [builtPrograms] : []),
]

const lockFile = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      dev: z.boolean().optional(),
      devOptional: z.boolean().optional(),
      optional: z.boolean().optional(),
    }),
  ),
})
const installedPackage = z.looseObject({ version: z.string() })

/** Packages that run on a host, as the lock file names them. Those of other platforms are missing and not needed. */
function productionPackages(source: string): string[] {
  const lock = parseJson(readFileSync(join(source, 'package-lock.json'), 'utf8'), lockFile, {
    errorClass: 'install_failed',
    origin: `${source}/package-lock.json`,
  })
  return Object.entries(lock.packages).flatMap(
    ([path, { version, dev, devOptional, optional }]) => {
      if (!path.startsWith('node_modules/') || dev === true || devOptional === true) return []
      if (isLaptopPackage(path)) return []
      const manifest = join(source, path, 'package.json')
      if (!existsSync(manifest)) {
        if (optional === true) return []
        throw new Problem(
          'install_refused',
          `${path} of ${source} is not installed, so the package is not complete. Nothing was changed.`,
        )
      }
      const found = parseJson(readFileSync(manifest, 'utf8'), installedPackage, {
        errorClass: 'install_failed',
        origin: manifest,
      })
      if (found.version !== version)
        throw new Problem(
          'install_refused',
          `${path} of ${source} is version ${found.version}, but its lock file says ${String(version)}. ` +
            'Nothing was changed.',
        )
      return [path]
    },
  )
}

function filesOf(source: string, part: string): string[] {
  const path = join(source, part)
  if (!existsSync(path)) return []
  if (!lstatSync(path).isDirectory()) return [part]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
    .toSorted()
}

/**
 * Name of a release: a digest of its content. The lock file stands for the dependencies, whose versions are compared
 * with it.
 */
export function releaseId(source: string): string {
  const missing = required.filter((part) => !existsSync(join(source, part)))
  if (missing.length > 0)
    throw new Problem(
      'install_refused',
      `${source} is not a complete package of OpenClaw HQ: ${missing.join(', ')} missing. Nothing was changed.`,
    )
  const hash = createHash('sha256')
  const files = partsOf(source).flatMap((part) => filesOf(source, part))
  // Times of files are not content.
  for (const file of files.filter((path) => path !== join(builtPrograms, bundledSources)))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(source, file)))
      .update('\0')
  return hash.digest('hex').slice(0, 40)
}

/** True when this installation is a release of the host already. Then it is installed as it is. */
export const isRelease = ({ releases }: HostPaths, source: string): boolean =>
  existsSync(releases) && realpathSync(source).startsWith(`${realpathSync(releases)}${sep}`)

/** Copies the package into a new folder, completely or not at all. */
function copyPackage(source: string, folder: string, id: string): void {
  const building = unfinished(folder)
  rmSync(building, { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true }) // half an installation: `current` never named it
  mkdirSync(building, { recursive: true })
  for (const part of [
    ...partsOf(source),
    ...productionPackages(source),
    join('node_modules', '.bin', 'node'),
  ]) {
    const from = join(source, part)
    if (!lstatSync(from, { throwIfNoEntry: false })) continue
    mkdirSync(dirname(join(building, part)), { recursive: true })
    cpSync(from, join(building, part), {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    })
  }
  // Root's copies keep their owner, and the owner of the package must not own what root runs from now on.
  takeTreeBack(building, rootAccount)
  markComplete(building, { sha: id, commit: null })
  renameSync(building, folder)
}

export interface Release {
  readonly changes: readonly Change[]
  /** Where it lies, once it is installed. */
  readonly folder: string
  /** What `current` named before, to go back to. */
  readonly previous: string | null
}

/** The release made of the package in `source`, copied and made current. Needs no network. */
export function releaseOf(paths: HostPaths, source: string): Release {
  const previous = currentFolder(paths)
  const current = (folder: string): Change => ({
    did: `made ${folder} the current release`,
    due: () => currentFolder(paths) !== realpathSync(folder),
    apply: () => {
      switchCurrent(paths, folder)
      pruneReleases(paths)
    },
  })
  if (isRelease(paths, source))
    return { previous, folder: realpathSync(source), changes: [current(realpathSync(source))] }
  const id = releaseId(source)
  const folder = join(paths.releases, id)
  return {
    previous,
    folder,
    changes: [
      {
        did: `installed release ${folder}`,
        due: () => readMark(folder) === null,
        apply: () => copyPackage(source, folder, id),
      },
      current(folder),
    ],
  }
}
