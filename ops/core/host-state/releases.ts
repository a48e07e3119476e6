import { hasCode } from '#shared/system-error'
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { commitId, timestamp, shortCommit } from '#shared/ids'
import { readRecords } from './service-record.ts'
import { parseJson, readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { processIds } from '#ops/base/process/process-stat'
import { installRoot } from '#ops/base/process/program'
import { releaseMark } from '#ops/base/paths/release-mark'

/** Releases of HQ that are kept, the current one included. */
const keep = 3
/**
 * A folder that is being made is left alone this long by everybody else, milliseconds: longer than any installation
 * takes.
 */
const halfMadeMs = 24 * 3600 * 1000
const releaseName = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/

const mark = z.strictObject({
  schema_version: z.literal(1),
  /** Name of the release: its commit, or the digest of a package that was copied. */
  sha: z.string().regex(releaseName),
  /** Commit that it was exported from; null for a copied package. */
  commit: commitId.nullable().default(null),
  installed_at: timestamp,
})

/** Where a release is made, beside its final path: nothing is ever started from it but its own trial. */
export const unfinished = (folder: string): string => `${folder}.new`

export const markComplete = (
  folder: string,
  { sha, commit }: { sha: string; commit: string | null },
): void =>
  writeJson(join(folder, releaseMark), {
    schema_version: 1,
    sha,
    commit,
    installed_at: new Date().toISOString(),
  })

/** @returns null for half an installation @throws {Problem} `state_invalid` when the mark cannot be read */
export const readMark = (folder: string): z.infer<typeof mark> | null =>
  readJson(join(folder, releaseMark), mark, 'state_invalid') ?? null

/** The link `current` is what deploys are started from; absent while HQ runs from where it was installed by hand. */
export const currentRelease = ({ releases }: Pick<HostPaths, 'releases'>): string =>
  join(releases, 'current')

/** @returns the folder that `current` names; null while HQ was never installed as a release */
export function currentFolder(paths: Pick<HostPaths, 'releases'>): string | null {
  const link = currentRelease(paths)
  return existsSync(link) ? realpathSync(link) : null
}

/**
 * What hostd calls itself: the version of its package and, when it is a release made of a commit, the commit as build
 * metadata (semver 10), so that two commits of one version can be distinguished.
 * @throws {Problem} `state_invalid` when its package.json or its mark cannot be read
 */
export function releaseVersion(folder: string): string {
  const { version } = parseJson(
    readFileSync(join(folder, 'package.json'), 'utf8'),
    z.looseObject({ version: z.string() }),
    { errorClass: 'state_invalid', origin: `${folder}/package.json` },
  )
  const commit = readMark(folder)?.commit ?? null
  return commit === null ? version : `${version}+${shortCommit(commit)}`
}

/** One rename: a reader sees the old release or the new one, never none. */
export function switchCurrent(paths: HostPaths, folder: string): void {
  const link = currentRelease(paths)
  if (currentFolder(paths) === realpathSync(folder)) return
  const next = `${link}.${process.pid}`
  rmSync(next, { force: true })
  symlinkSync(folder, next)
  renameSync(next, link)
}

/** Whole releases, the newest installation first. */
export const listReleases = ({ releases }: Pick<HostPaths, 'releases'>): string[] =>
  readdirSync(releases)
    .filter((name) => releaseName.test(name))
    .flatMap((name) => {
      const found = readMark(join(releases, name))
      return found === null
        ? []
        : [{ folder: realpathSync(join(releases, name)), at: found.installed_at }]
    })
    .toSorted((a, b) => b.at.localeCompare(a.at))
    .map(({ folder }) => folder)

/**
 * Removes all but the newest releases. Never the current one, the one this process is of, one that a service or any
 * process runs from; and none at all where the processes of others cannot be seen.
 * @returns what was removed
 */
export function pruneReleases(paths: HostPaths): string[] {
  if (!seesProcesses()) return []
  const used = new Set([
    currentFolder(paths),
    realpathSync(installRoot()),
    ...readRecords(paths).map(({ env }) => env['OPENCLAW_HQ_INSTALL'] ?? ''),
  ])
  const idle = listReleases(paths)
    .slice(keep)
    .filter((folder) => !used.has(folder) && !hasProcess(folder))
  const left = readdirSync(paths.releases)
    .filter(
      (name) =>
        releaseName.test(name.replace(/\.new$/, '')) &&
        readMark(join(paths.releases, name)) === null,
    )
    .map((name) => join(paths.releases, name))
    .filter((folder) => Date.now() - statSync(folder).mtimeMs > halfMadeMs && !hasProcess(folder))
  for (const folder of [...idle, ...left]) rmSync(folder, { recursive: true, force: true })
  return [...idle, ...left]
}

/** Removes one release that nobody needs. @returns false when something does, or when that cannot be seen */
export function dropRelease(paths: HostPaths, folder: string): boolean {
  if (
    !seesProcesses() ||
    currentFolder(paths) === folder ||
    realpathSync(installRoot()) === folder ||
    hasProcess(folder)
  )
    return false
  rmSync(folder, { recursive: true, force: true })
  return true
}

/** Are the processes of all accounts listed? A unit with ProtectProc=invisible is shown its own only. */
const seesProcesses = (): boolean => existsSync('/proc/1')

/**
 * Does a process run from this folder? A daemon keeps its version until it is started again. One that may not be
 * inspected counts when its command line names any release: `current` says nothing about which one it was started from.
 */
function hasProcess(folder: string): boolean {
  const inside = (path: string, of: string): boolean => path === of || path.startsWith(`${of}/`)
  return processIds().some((pid) => {
    const seen = [`/proc/${pid}/exe`, `/proc/${pid}/cwd`].map(readPlace)
    const named = commandOf(pid)
    return (
      seen.some((place) => place !== null && inside(place, folder)) ||
      named.some((part) => inside(part, folder)) ||
      (seen.includes(null) && named.some((part) => inside(part, dirname(folder))))
    )
  })
}

/** @returns null when it may not be read; empty when there is none: the process has ended, or is the kernel's own */
function readPlace(link: string): string | null {
  try {
    return readlinkSync(link)
  } catch (error) {
    return hasCode(error, 'EACCES', 'EPERM') ? null : ''
  }
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // it has ended between the listing and this read
  }
}
