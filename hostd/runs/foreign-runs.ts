/** Takes runs into the index that hostd did not start. */
import { statSync, watch, type FSWatcher } from 'node:fs'
import { toProblem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import type { HostPaths } from '#ops/base/paths/paths'
import { adoptFolders, listRuns } from './adopt.ts'
import type { Log } from '../log/log.ts'
import type { Store } from './store.ts'

const inspectMs = 1000
/** A notification can be missed: the whole folder is read again this often if its date has changed, milliseconds. */
const readAgainMs = 30_000
/** A folder that got no record in this time is not inspected again until hostd restarts, milliseconds. */
const patienceMs = 600_000

export interface ForeignRuns {
  /** hostd itself started this run. */
  known(id: string): void
  close(): void
}

/** Runs found when hostd starts, and those a CLI starts while hostd cannot be reached. */
export const adoptForeign = (paths: HostPaths, store: Store, log: Log): ForeignRuns =>
  new RunFolderWatch(paths, store, log)

class RunFolderWatch implements ForeignRuns {
  readonly #paths: HostPaths
  readonly #store: Store
  readonly #log: Log
  readonly #known: Set<string>
  readonly #waiting = new Map<string, number>()
  /** What is wrong with a folder is logged once, not at every inspection. */
  readonly #logged = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #watcher: FSWatcher | null = null
  #readAt = 0
  #dateRead = -1n

  constructor(paths: HostPaths, store: Store, log: Log) {
    this.#paths = paths
    this.#store = store
    this.#log = log
    this.#known = store.ids()
    this.#inspect()
    this.#timer = setInterval(() => this.#inspect(), inspectMs)
  }

  known(id: string): void {
    this.#known.add(id)
    this.#waiting.delete(id)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#watcher?.close()
  }

  #inspect(): void {
    try {
      const blind = this.#watcher === null
      this.#startWatching()
      if (blind || Date.now() - this.#readAt > readAgainMs) {
        this.#readAt = Date.now()
        this.#readFolder()
      }
      this.#adoptWaiting()
    } catch (error) {
      this.#log('adopt_failed', { why: toProblem(error).message })
    }
  }

  #startWatching(): void {
    if (this.#watcher !== null) return
    try {
      this.#watcher = watch(this.#paths.runs, (_event, name) => {
        if (name !== null) this.#note(name)
      })
      this.#watcher.on('error', () => {
        this.#watcher?.close()
        this.#watcher = null
      })
      this.#watcher.unref()
    } catch {
      // The folder does not exist before the first run, or the system has no watches left: its date shows it.
      this.#watcher = null
    }
  }

  #readFolder(): void {
    const info = statSync(this.#paths.runs, { bigint: true, throwIfNoEntry: false })
    const date = info?.mtimeNs ?? 0n
    if (date === this.#dateRead) return
    this.#dateRead = date
    for (const id of listRuns(this.#paths)) this.#note(id)
  }

  #note(id: string): void {
    if (runIdPattern.test(id) && !this.#known.has(id) && !this.#waiting.has(id))
      this.#waiting.set(id, Date.now())
  }

  #adoptWaiting(): void {
    const ids = [...this.#waiting.keys()].filter((id) => !this.#known.has(id)).toSorted()
    if (ids.length === 0) return
    const log: Log = (event, facts) => this.#logOnce(event, facts)
    const still = new Set(adoptFolders(ids, { paths: this.#paths, store: this.#store, log }))
    for (const id of ids) {
      const waited = Date.now() - (this.#waiting.get(id) ?? 0)
      if (!still.has(id) || waited > patienceMs) this.known(id)
    }
  }

  #logOnce(event: string, facts?: Readonly<Record<string, unknown>>): void {
    const what = `${event} ${String(facts?.['run_id'])}`
    if (this.#logged.has(what)) return
    if (facts?.['run_id'] !== undefined) this.#logged.add(what)
    this.#log(event, facts)
  }
}
