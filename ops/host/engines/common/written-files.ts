// What a service wrote beside its code: it is in no other version, so it must not be dropped without a word.
import { existsSync, lstatSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '#ops/base/files/json-file'

/** Beside a release folder: when its build ended, as the time at which this file was last changed. */
const builtMark = (folder: string): string => `${folder}.built`
/** Beside a release folder that is kept for what was written into it. */
const keptMark = (folder: string): string => `${folder}.kept`

/** Beside such a folder while something runs from it again: its days start again when nothing does. */
const usedMark = (folder: string): string => `${folder}.used`
/** Beside such a folder once its days are over. It goes a day after this file was made. */
const leavingMark = (folder: string): string => `${folder}.leaving`

const dayMs = 86_400_000

/** How long a folder stays for what was written into it, days. The newest few of a project stay longer. */
const keptDays = 90
/** How many of a project stay whatever their age. */
const keptAlways = 3

/** Folders whose content a program makes again by itself. */
const disposable = new Set(['__pycache__', '.cache', 'cache', '.pytest_cache'])

/** Call it when a build has ended, before anything runs from it. */
export const markBuilt = (folder: string): void => writeWhole(builtMark(folder), '')

/**
 * Files of a release folder that were written after its build, relative to it.
 * @returns null when nothing tells: an older HQ built it
 */
export function writtenFiles(folder: string): string[] | null {
  const built = lstatSync(builtMark(folder), { throwIfNoEntry: false })?.ctimeMs
  return built === undefined ? null : [...changedSince(folder, '', built)]
}

function* changedSince(folder: string, path: string, time: number): Generator<string> {
  for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) {
      if (!disposable.has(entry.name)) yield* changedSince(folder, inside, time)
    } else if (entry.isFile()) {
      // A temporary file may go between the two calls.
      const changed = lstatSync(join(folder, inside), { throwIfNoEntry: false })?.ctimeMs
      if (changed !== undefined && changed > time) yield inside
    }
  }
}

/** Keeps a release folder from being removed when no version needs it any more. */
export const keepWritten = (folder: string, files: readonly string[]): void =>
  writeWhole(keptMark(folder), `${files.join('\n')}\n`)

/** Must it stay for what was written into it? */
export const isKept = (folder: string): boolean =>
  existsSync(keptMark(folder)) || (writtenFiles(folder) ?? []).length > 0

export interface KeptFolder {
  readonly folder: string
  /** Since when nothing runs from it, as far as HQ has seen; milliseconds since 1970. */
  readonly since: number
}

/** Those of a project's release folders that are kept for what was written into them, newest first. */
export function keptFolders(base: string): KeptFolder[] {
  if (!existsSync(base)) return []
  return readdirSync(base, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const folder = join(base, name)
      const since = statSync(keptMark(folder), { throwIfNoEntry: false })?.mtimeMs
      return since === undefined ? [] : [{ folder, since }]
    })
    .toSorted((a, b) => b.since - a.since)
}

/** When such a folder may go, milliseconds since 1970. */
export const goesAt = ({ since }: KeptFolder): number => since + keptDays * dayMs

/**
 * A version that runs again, after a rollback, is kept for `keptDays` from when it ends.
 * @param inUse as in `outlived`
 */
export function renewUsed(base: string, inUse: ReadonlySet<string>): void {
  for (const { folder } of keptFolders(base)) {
    if (inUse.has(folder)) writeWhole(usedMark(folder), '')
    else if (existsSync(usedMark(folder))) {
      const now = new Date()
      utimesSync(keptMark(folder), now, now)
      rmSync(usedMark(folder), { force: true })
    }
  }
}

/**
 * Those that may go: kept for `keptDays`, and not among the newest of the project. One goes only when a call a day ago
 * or earlier found the same: a clock that jumps ahead for a moment removes nothing.
 * @param base folder of the project's releases
 * @param inUse folders that something runs from, or that a rollback may need: they never go
 */
export function outlived(base: string, inUse: ReadonlySet<string>, now = Date.now()): string[] {
  const kept = keptFolders(base)
  const over = kept
    .filter(({ folder }) => !inUse.has(folder))
    .slice(keptAlways)
    .filter((each) => goesAt(each) < now)
  for (const { folder } of kept.filter((each) => !over.includes(each)))
    rmSync(leavingMark(folder), { force: true })
  return over.map(({ folder }) => folder).filter((folder) => foundEarlier(folder, now))
}

function foundEarlier(folder: string, now: number): boolean {
  const found = statSync(leavingMark(folder), { throwIfNoEntry: false })?.mtimeMs
  if (found === undefined || found > now) writeWhole(leavingMark(folder), '')
  return found !== undefined && now - found >= dayMs
}

/** What a deploy says when it removed such a folder. */
export const afterKept = (folder: string): string =>
  `${folder} was removed: what services wrote into it was kept for ${keptDays} days`

/** Removes a release folder and what lies beside it. */
export function removeRelease(folder: string): void {
  for (const each of [
    folder,
    ...[builtMark, keptMark, usedMark, leavingMark].map((of) => of(folder)),
  ])
    rmSync(each, { recursive: true, force: true })
}
