import { setTimeout as delay } from 'node:timers/promises'
import { actionOf, type ActionId } from '#shared/actions'
import { Problem, toProblem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { isEnded, type Run, type RunFile } from '#shared/run'
import { isLocked } from '#ops/base/files/lock'
import type { HostPaths } from '#ops/base/paths/paths'
import { bootId, endTree, members } from '#ops/base/process/process-tree'
import { askRunner, endLeftOf, startRunner, type LaunchSettings } from '#ops/host/runner/launch'
import { runLockFile } from '#ops/core/host-state/locks'
import { runMarker } from '#ops/host/runner/run-processes'
import { readRunFile } from '#ops/host/runner/run-files'
import { lastSign, readEndOrFail } from './adopt.ts'
import { adoptForeign } from './foreign-runs.ts'
import type { Log } from '../log/log.ts'
import type { RunEnd, RunsPage, Store } from './store.ts'

/** How often active runs are looked at, milliseconds. */
const lookMs = 150
/** A runner that has not made its folder and record within this time has not started, milliseconds. */
const startLimitMs = 30_000
/** After hostd came back: a runner without folder and without process was never started, milliseconds. */
const absentLimitMs = 2000

const unreadable = Symbol('a record that cannot be read')

export interface StartAsk {
  readonly action: ActionId
  readonly params: Record<string, unknown>
  readonly actor: string
  readonly deployRunId: string | null
}

/** The runs of this host: their rows, their runners, their ends. */
export interface Runs {
  /** Records a run durably and starts its runner; or gives the active run of the lane. */
  start(ask: StartAsk): { run: Run } | { busy: Run }
  /** @throws {Problem} `not_found`, `not_running` */
  cancel(id: string, actor: string): Promise<Run>
  /** @throws {Problem} `not_found` */
  get(id: string): Run
  list(page: RunsPage): Run[]
  active(): Run[]
  close(): void
}

interface Watched {
  readonly since: number
  launching: boolean
  absentSince: number | null
  startFailed: string | null
  closing: boolean
  recordLogged: boolean
}

export function superviseRuns({
  paths,
  store,
  log,
  launch,
}: {
  paths: HostPaths
  store: Store
  log: Log
  launch: () => LaunchSettings
}): Runs {
  const watched = new Map<string, Watched>()
  /** Runs that are being cancelled, since when: everyone who looks sees that their end is on its way. */
  const cancelling = new Map<string, string>()
  const shown = (row: Run): Run => {
    const cancel_asked_at = isEnded(row.status) ? undefined : cancelling.get(row.run_id)
    return cancel_asked_at === undefined ? row : { ...row, cancel_asked_at }
  }
  let closed = false

  const watch = (id: string): Watched => {
    const entry = watched.get(id) ?? {
      since: Date.now(),
      launching: false,
      absentSince: null,
      startFailed: null,
      closing: false,
      recordLogged: false,
    }
    watched.set(id, entry)
    return entry
  }
  const end = (id: string, how: RunEnd): void => {
    if (closed) return
    store.ended(id, how)
    watched.delete(id)
    log('run_ended', { run_id: id, status: how.status, error_class: how.error_class })
  }

  /** A record that cannot be read must not hold its lane for ever: whether the runner lives, its lock tells as well. */
  const recordOf = (id: string): RunFile | null | typeof unreadable => {
    try {
      return readRunFile(paths, id)
    } catch (error) {
      const entry = watch(id)
      if (!entry.recordLogged)
        log('record_unreadable', { run_id: id, why: toProblem(error).message })
      entry.recordLogged = true
      return unreadable
    }
  }

  /** One look at one active run. The folder tells everything; the runner's process is nobody's child any more. */
  function look(row: Run, entry: Watched): void {
    const { run_id: id } = row
    if (entry.closing) return
    const result = readEndOrFail(paths, id, log)
    const record = result === null || row.status === 'queued' ? recordOf(id) : null
    if (record !== null && record !== unreadable && row.status === 'queued')
      store.started(id, record.started_at)
    if (result !== null) return end(id, result)
    if (record === null) return lookForStart(id, entry)
    if (record !== unreadable && record.boot_id !== bootId())
      return end(id, {
        status: 'interrupted',
        finished_at: lastSign(paths, id),
        error_class: 'interrupted',
        step_failed: null,
      })
    if (isLocked(runLockFile(paths, id))) return
    // A runner that had to be killed by a cancel writes no result: the cancel does, and it is not lost meanwhile.
    if (cancelling.has(id)) return
    // The result may have been written between the two looks; the lock was let go after it.
    const late = readEndOrFail(paths, id, log)
    if (late !== null) return end(id, late)
    const finished_at = lastSign(paths, id)
    closeAfter(
      id,
      entry,
      record === unreadable ? endTree({ marker: runMarker(id) }) : endLeftOf(record, launch()),
      { status: 'runner_lost', finished_at, error_class: 'runner_lost', step_failed: null },
    )
  }

  function lookForStart(id: string, entry: Watched): void {
    const now = Date.now()
    if (entry.startFailed === null && now - entry.since < startLimitMs) {
      if (entry.launching) return
      // A unit's processes cannot be seen from here: only its folder, or the time limit, tells.
      if (launch().runnerSocket !== null || members({ marker: runMarker(id) }).length > 0) {
        entry.absentSince = null
        return
      }
      entry.absentSince ??= now
      if (now - entry.absentSince < absentLimitMs) return
    }
    log('runner_start_failed', {
      run_id: id,
      why: entry.startFailed ?? 'it made no run folder in time',
    })
    closeAfter(id, entry, endTree({ marker: runMarker(id) }), {
      status: 'failed',
      finished_at: new Date().toISOString(),
      error_class: 'runner_start_failed',
      step_failed: null,
    })
  }

  /** Nothing of a run may be left when its lane becomes free. */
  function closeAfter(id: string, entry: Watched, gone: Promise<number[]>, how: RunEnd): void {
    entry.closing = true
    const close = async (): Promise<void> => {
      try {
        const left = await gone
        if (left.length > 0) log('processes_left', { run_id: id, pids: left })
        end(id, how)
      } catch (error) {
        entry.closing = false // the next look tries again
        log('close_failed', { run_id: id, why: toProblem(error).message })
      }
    }
    void close()
  }

  function lookAtAll(): void {
    for (const row of store.active()) {
      try {
        look(row, watch(row.run_id))
      } catch (error) {
        log('look_failed', { run_id: row.run_id, why: toProblem(error).message })
      }
    }
  }

  async function launchRunner(row: Run): Promise<void> {
    const entry = watch(row.run_id)
    try {
      const runner = await startRunner(
        {
          op: 'start',
          run_id: row.run_id,
          action: row.action,
          params: row.params,
          actor: row.actor,
          deploy_run_id: row.deploy_run_id,
          requested_at: row.requested_at,
        },
        launch(),
      )
      const { exitCode, signal, said } = await runner.ended
      entry.startFailed = `the runner ended (${signal ?? `exit code ${String(exitCode)}`}) before it made its record: ${said}`
      if (!closed) lookAtAll()
    } catch (error) {
      entry.startFailed = toProblem(error).message
    }
  }

  const get = (id: string): Run => {
    const row = store.get(id)
    if (row === null) throw new Problem('not_found', `There is no run ${id}.`)
    return shown(row)
  }

  async function stop(id: string, actor: string): Promise<void> {
    // A run in its first instants has no runner to ask yet.
    while (get(id).status === 'queued') {
      lookAtAll()
      await delay(50)
    }
    if (isEnded(get(id).status)) return
    try {
      await askRunner({ op: 'cancel', run_id: id, actor }, launch())
    } catch (error) {
      cancelling.delete(id)
      lookAtAll()
      // It ended by itself while we asked: that is an answer, not an error.
      if (!(isEnded(get(id).status) && toProblem(error).errorClass === 'not_running')) throw error
    }
    lookAtAll()
  }

  const foreign = adoptForeign(paths, store, log)
  lookAtAll()
  const lookTimer = setInterval(lookAtAll, lookMs)

  return {
    start: ({ action, params, actor, deployRunId }) => {
      const row: Run = {
        run_id: newRunId(),
        action,
        lane: actionOf(action).lane,
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
      const outcome = store.insert(row)
      if (outcome.inserted) foreign.known(row.run_id)
      if (!outcome.inserted) return { busy: outcome.active }
      log('run_requested', { run_id: row.run_id, action, actor })
      watch(row.run_id).launching = true
      // The caller has its answer before the fork, which takes longer than all the rest.
      setImmediate(() => {
        void launchRunner(row)
      })
      return { run: row }
    },
    cancel: async (id, actor) => {
      if (isEnded(get(id).status)) throw new Problem('not_running', `Run ${id} has ended already.`)
      log('cancel_requested', { run_id: id, actor })
      const first = !cancelling.has(id)
      if (first) cancelling.set(id, new Date().toISOString())
      try {
        await stop(id, actor)
      } finally {
        if (first) cancelling.delete(id)
      }
      return get(id)
    },
    get,
    list: (page) => store.list(page).map(shown),
    active: () => store.active().map(shown),
    close: () => {
      closed = true
      clearInterval(lookTimer)
      foreign.close()
    },
  }
}
