/** The runs of this host: starts them, follows them by their folders, and records how they ended. */
import { setTimeout as delay } from 'node:timers/promises'
import { laneOf, type ActionId } from '#shared/actions'
import { Problem, toProblem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { isEnded, type Run, type RunFile } from '#shared/run'
import { isLocked } from '#ops/base/files/lock'
import type { HostPaths } from '#ops/base/paths/paths'
import { bootId, endTree, members } from '#ops/base/process/process-tree'
import {
  requestFromRunner,
  endLeftOf,
  startRunner,
  type LaunchSettings,
} from '#ops/host/runner/launch'
import { runLockFile } from '#ops/core/host-state/locks'
import { runMarker } from '#ops/host/runner/run-processes'
import { readRunFile } from '#ops/host/runner/run-files'
import { lastSign, readEndOrFail } from './adopt.ts'
import { adoptForeign, type ForeignRuns } from './foreign-runs.ts'
import type { Log } from '../log/log.ts'
import type { RunEnd, RunsPage, Store } from './store.ts'

/** How often active runs are inspected, milliseconds. */
const inspectMs = 150
/** A runner that has not made its folder and record within this time has not started, milliseconds. */
const startLimitMs = 30_000
/** After hostd came back: a runner without folder and without process was never started, milliseconds. */
const absentLimitMs = 2000

const unreadable = Symbol('a record that cannot be read')

export interface StartRequest {
  readonly action: ActionId
  readonly params: Record<string, unknown>
  readonly actor: string
  readonly deployRunId: string | null
}

/** The runs of this host: their rows, their runners, their ends. */
export interface Runs {
  /** Records a run durably and starts its runner; or gives the active run of the lane. */
  start(request: StartRequest): { run: Run } | { busy: Run }
  /** @throws {Problem} `not_found`, `not_running` */
  cancel(id: string, actor: string): Promise<Run>
  /** @throws {Problem} `not_found` */
  get(id: string): Run
  list(page: RunsPage): Run[]
  active(): Run[]
  close(): void
}

interface Options {
  readonly paths: HostPaths
  readonly store: Store
  readonly log: Log
  readonly launch: () => LaunchSettings
}

/** What is known of an active run besides its row. */
interface Watched {
  readonly since: number
  launching: boolean
  absentSince: number | null
  startFailed: string | null
  closing: boolean
  recordLogged: boolean
  startLogged: boolean
}

export const superviseRuns = (options: Options): Runs => new RunSupervisor(options)

class RunSupervisor implements Runs {
  readonly #paths: HostPaths
  readonly #store: Store
  readonly #log: Log
  readonly #launch: () => LaunchSettings
  readonly #watched = new Map<string, Watched>()
  /** Runs that are being cancelled, since when: every reader sees that their end is on its way. */
  readonly #cancelling = new Map<string, string>()
  readonly #foreign: ForeignRuns
  readonly #timer: NodeJS.Timeout
  #closed = false

  constructor({ paths, store, log, launch }: Options) {
    this.#paths = paths
    this.#store = store
    this.#log = log
    this.#launch = launch
    this.#foreign = adoptForeign(paths, store, log)
    this.#inspectAll()
    this.#timer = setInterval(() => this.#inspectAll(), inspectMs)
  }

  start({ action, params, actor, deployRunId }: StartRequest): { run: Run } | { busy: Run } {
    const row: Run = {
      run_id: newRunId(),
      action,
      lane: laneOf(action, params),
      params,
      actor,
      deploy_run_id: deployRunId,
      status: 'queued',
      requested_at: new Date().toISOString(),
      started_at: null,
      finished_at: null,
      error_class: null,
      step_failed: null,
    }
    const outcome = this.#store.insert(row)
    if (!outcome.inserted) return { busy: outcome.active }
    this.#foreign.known(row.run_id)
    this.#log('run_requested', { run_id: row.run_id, action, actor })
    this.#watch(row.run_id).launching = true
    // The caller has its answer before the fork, which takes longer than all the rest.
    setImmediate(() => {
      void this.#launchRunner(row)
    })
    return { run: row }
  }

  async cancel(id: string, actor: string): Promise<Run> {
    if (isEnded(this.get(id).status))
      throw new Problem('not_running', `Run ${id} has ended already.`)
    this.#log('cancel_requested', { run_id: id, actor })
    const first = !this.#cancelling.has(id)
    if (first) this.#cancelling.set(id, new Date().toISOString())
    try {
      await this.#stop(id, actor)
    } finally {
      if (first) this.#cancelling.delete(id)
    }
    return this.get(id)
  }

  get(id: string): Run {
    const row = this.#store.get(id)
    if (row === null) throw new Problem('not_found', `There is no run ${id}.`)
    return this.#shown(row)
  }

  list(page: RunsPage): Run[] {
    return this.#store.list(page).map((row) => this.#shown(row))
  }

  active(): Run[] {
    return this.#store.active().map((row) => this.#shown(row))
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#foreign.close()
  }

  #shown(row: Run): Run {
    const cancel_asked_at = isEnded(row.status) ? undefined : this.#cancelling.get(row.run_id)
    return cancel_asked_at === undefined ? row : { ...row, cancel_asked_at }
  }

  #watch(id: string): Watched {
    const entry = this.#watched.get(id) ?? {
      since: Date.now(),
      launching: false,
      absentSince: null,
      startFailed: null,
      closing: false,
      recordLogged: false,
      startLogged: false,
    }
    this.#watched.set(id, entry)
    return entry
  }

  #end(id: string, how: RunEnd): void {
    if (this.#closed) return
    this.#store.ended(id, how)
    this.#watched.delete(id)
    this.#log('run_ended', { run_id: id, status: how.status, error_class: how.error_class })
  }

  async #launchRunner(row: Run): Promise<void> {
    const entry = this.#watch(row.run_id)
    const { run_id, action, params, actor, deploy_run_id, requested_at } = row
    try {
      const runner = await startRunner(
        { op: 'start', run_id, action, params, actor, deploy_run_id, requested_at },
        this.#launch(),
      )
      const { exitCode, signal, said } = await runner.ended
      const how = signal ?? `exit code ${String(exitCode)}`
      entry.startFailed = `the runner ended (${how}) before it made its record: ${said}`
      if (!this.#closed) this.#inspectAll()
    } catch (error) {
      entry.startFailed = toProblem(error).message
    }
  }

  #inspectAll(): void {
    for (const row of this.#store.active()) {
      try {
        this.#inspect(row, this.#watch(row.run_id))
      } catch (error) {
        this.#log('look_failed', { run_id: row.run_id, why: toProblem(error).message })
      }
    }
  }

  /** Reads the folder of one active run, the only source: hostd is not the parent of the runner. */
  #inspect(row: Run, entry: Watched): void {
    const { run_id: id } = row
    if (entry.closing) return
    const result = readEndOrFail(this.#paths, id, this.#log)
    const record = result === null || row.status === 'queued' ? this.#recordOf(id) : null
    if (record !== null && record !== unreadable && row.status === 'queued')
      this.#recordStart(record, entry)
    if (result !== null) return this.#end(id, result)
    if (record === null) return this.#inspectStart(id, entry)
    if (record !== unreadable && record.boot_id !== bootId())
      return this.#end(id, {
        status: 'interrupted',
        finished_at: lastSign(this.#paths, id),
        error_class: 'interrupted',
        step_failed: null,
      })
    if (isLocked(runLockFile(this.#paths, id))) return
    // A runner that a cancel had to kill writes no result: the cancel does, and the run is not lost meanwhile.
    if (this.#cancelling.has(id)) return
    this.#inspectUnlocked(id, entry, record)
  }

  /** The end of a run counts also where its start cannot be recorded, as on a full disk. */
  #recordStart({ run_id, started_at }: RunFile, entry: Watched): void {
    try {
      this.#store.started(run_id, started_at)
    } catch (error) {
      if (!entry.startLogged)
        this.#log('start_not_recorded', { run_id, why: toProblem(error).message })
      entry.startLogged = true
    }
  }

  /** Without the lock its runner has ended. */
  #inspectUnlocked(id: string, entry: Watched, record: RunFile | typeof unreadable): void {
    // The result may have been written since it was read; the lock was released after it.
    const late = readEndOrFail(this.#paths, id, this.#log)
    if (late !== null) return this.#end(id, late)
    this.#closeAfter(
      { id, entry },
      record === unreadable
        ? endTree({ marker: runMarker(id) })
        : endLeftOf(record, this.#launch()),
      {
        status: 'runner_lost',
        finished_at: lastSign(this.#paths, id),
        error_class: 'runner_lost',
        step_failed: null,
      },
    )
  }

  /** A record that cannot be read must not hold its lane for ever: whether the runner lives, its lock shows as well. */
  #recordOf(id: string): RunFile | null | typeof unreadable {
    try {
      return readRunFile(this.#paths, id)
    } catch (error) {
      const entry = this.#watch(id)
      if (!entry.recordLogged)
        this.#log('record_unreadable', { run_id: id, why: toProblem(error).message })
      entry.recordLogged = true
      return unreadable
    }
  }

  /** A run without a record: its runner is starting, or failed to start. */
  #inspectStart(id: string, entry: Watched): void {
    if (this.#mayStillStart(id, entry)) return
    this.#log('runner_start_failed', {
      run_id: id,
      why: entry.startFailed ?? 'it made no run folder in time',
    })
    this.#closeAfter({ id, entry }, endTree({ marker: runMarker(id) }), {
      status: 'failed',
      finished_at: new Date().toISOString(),
      error_class: 'runner_start_failed',
      step_failed: null,
    })
  }

  #mayStillStart(id: string, entry: Watched): boolean {
    const now = Date.now()
    if (entry.startFailed !== null || now - entry.since >= startLimitMs) return false
    if (entry.launching) return true
    // The processes of a unit cannot be seen from here: only its folder, or the time limit, tells.
    if (this.#launch().runnerSocket !== null || members({ marker: runMarker(id) }).length > 0) {
      entry.absentSince = null
      return true
    }
    entry.absentSince ??= now
    return now - entry.absentSince < absentLimitMs
  }

  /** Nothing of a run may be left when its lane becomes free. @param left processes that survived */
  #closeAfter(
    { id, entry }: { id: string; entry: Watched },
    left: Promise<number[]>,
    how: RunEnd,
  ): void {
    entry.closing = true
    const close = async (): Promise<void> => {
      try {
        const pids = await left
        if (pids.length > 0) this.#log('processes_left', { run_id: id, pids })
        this.#end(id, how)
      } catch (error) {
        entry.closing = false // the next inspection tries again
        this.#log('close_failed', { run_id: id, why: toProblem(error).message })
      }
    }
    void close()
  }

  async #stop(id: string, actor: string): Promise<void> {
    // A run in its first instants has no runner that could be stopped.
    while (this.get(id).status === 'queued') {
      this.#inspectAll()
      await delay(50)
    }
    if (isEnded(this.get(id).status)) return
    try {
      await requestFromRunner({ op: 'cancel', run_id: id, actor }, this.#launch())
    } catch (error) {
      this.#cancelling.delete(id)
      this.#inspectAll()
      // It ended by itself meanwhile: that is an answer, not an error.
      const over = isEnded(this.get(id).status) && toProblem(error).errorClass === 'not_running'
      if (!over) throw error
    }
    this.#inspectAll()
  }
}
