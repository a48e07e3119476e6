import { statSync, watch, type FSWatcher } from 'node:fs'
import { toProblem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import type { HostPaths } from '#ops/base/paths/paths'
import { adoptFolders, listRuns } from './adopt.ts'
import type { Log } from '../log/log.ts'
import type { Store } from './store.ts'

const lookMs = 1000
/** A notification can be missed: the whole folder is read again this often when its date has changed, milliseconds. */
const readAgainMs = 30_000
/** A folder that got no record in this time is not asked about again until hostd starts anew, milliseconds. */
const patienceMs = 600_000

/**
 * Takes runs into the index that hostd did not start: those found when it starts, and those a CLI starts while hostd
 * could not be reached.
 */
export function adoptForeign(
  paths: HostPaths,
  store: Store,
  log: Log,
): { known(id: string): void; close(): void } {
  const known = store.ids()
  const waiting = new Map<string, number>()
  let watcher: FSWatcher | null = null
  let readAt = 0
  let dateRead = -1n

  /** What is wrong with a folder is said once, not at every look. */
  const told = new Set<string>()
  const logOnce: Log = (event, facts) => {
    const what = `${event} ${String(facts?.['run_id'])}`
    if (told.has(what)) return
    if (facts?.['run_id'] !== undefined) told.add(what)
    log(event, facts)
  }

  const note = (id: string): void => {
    if (runIdPattern.test(id) && !known.has(id) && !waiting.has(id)) waiting.set(id, Date.now())
  }

  function startWatching(): void {
    if (watcher !== null) return
    try {
      watcher = watch(paths.runs, (_event, name) => {
        if (name !== null) note(name)
      })
      watcher.on('error', () => {
        watcher?.close()
        watcher = null
      })
      watcher.unref()
    } catch {
      watcher = null // the folder does not exist before the first run, or the system has no watches left: the date of the folder tells
    }
  }

  function readFolder(): void {
    const date = statSync(paths.runs, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n
    if (date === dateRead) return
    dateRead = date
    for (const id of listRuns(paths)) note(id)
  }

  function adoptWaiting(): void {
    const ids = [...waiting.keys()].filter((id) => !known.has(id)).toSorted()
    if (ids.length === 0) return
    const still = new Set(adoptFolders(paths, ids, store, logOnce))
    for (const id of ids) {
      if (!still.has(id)) {
        known.add(id)
        waiting.delete(id)
      } else if (Date.now() - (waiting.get(id) ?? 0) > patienceMs) {
        known.add(id)
        waiting.delete(id)
      }
    }
  }

  function look(): void {
    try {
      const blind = watcher === null
      startWatching()
      if (blind || Date.now() - readAt > readAgainMs) {
        readAt = Date.now()
        readFolder()
      }
      adoptWaiting()
    } catch (error) {
      log('adopt_failed', { why: toProblem(error).message })
    }
  }

  look()
  const timer = setInterval(look, lookMs)
  return {
    known: (id) => {
      known.add(id)
      waiting.delete(id)
    },
    close: () => {
      clearInterval(timer)
      watcher?.close()
    },
  }
}
