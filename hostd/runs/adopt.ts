import { hasCode } from '#shared/system-error'
import { readdirSync, statSync } from 'node:fs'
import { z } from 'zod'
import { toProblem, errorClasses } from '#shared/errors'
import { runIdPattern, timestamp } from '#shared/ids'
import { overall } from '#shared/result'
import { runFile, type Run, type RunFile } from '#shared/run'
import { readJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { runJsonFile, runLogFile, runResultFile, statusOf } from '#ops/host/runner/run-files'
import type { Log } from '../log/log.ts'
import type { RunEnd, Store } from './store.ts'

type Runs = Pick<HostPaths, 'runs'>

/** The part of a result document that the index keeps. */
const ending = z.looseObject({
  overall,
  error_class: z.enum(errorClasses).nullable(),
  step_failed: z.string().nullable(),
  finished_at: timestamp,
})

/**
 * How a run ended, as its folder says.
 * @returns null while there is no result
 * @throws {Problem} when the result cannot be read
 */
export function readEnd(paths: Runs, id: string): RunEnd | null {
  const result = readJson(runResultFile(paths, id), ending, 'action_no_result')
  if (result === undefined) return null
  return {
    status: statusOf(result),
    finished_at: result.finished_at,
    error_class: result.error_class,
    step_failed: result.step_failed,
  }
}

/** The same, with a result that cannot be read counted as a failed run: it proves nothing. */
export function readEndOrFail(paths: Runs, id: string, log: Log): RunEnd | null {
  try {
    return readEnd(paths, id)
  } catch (error) {
    log('result_unreadable', { run_id: id, why: toProblem(error).message })
    return {
      status: 'failed',
      finished_at: lastSign(paths, id),
      error_class: 'action_no_result',
      step_failed: null,
    }
  }
}

/** When something of the run was last written: the end of a run that could not say when it ended. */
export function lastSign(paths: Runs, id: string): string {
  for (const file of [runLogFile(paths, id), runJsonFile(paths, id)]) {
    const info = statSync(file, { throwIfNoEntry: false })
    if (info) return info.mtime.toISOString()
  }
  return new Date().toISOString()
}

const rowOf = (file: RunFile): Run => ({
  run_id: file.run_id,
  action: file.action,
  lane: file.lane,
  params: file.params,
  actor: file.actor,
  deploy_run_id: file.deploy_run_id,
  status: 'running',
  requested_at: file.requested_at,
  started_at: file.started_at,
  finished_at: null,
  error_class: null,
  step_failed: null,
})

/** Folders that are taken in together: a hostd that is ended meanwhile goes on from there when it is started again. */
const atOnce = 2000

/**
 * Takes run folders into the index: all of them after the index was dropped, else those of runners that somebody else
 * started. Only what is not in it yet.
 * @returns those that have to wait: no record yet, or their lane is taken
 */
export function adoptFolders(
  ids: readonly string[],
  { paths, store, log }: { paths: Runs; store: Pick<Store, 'insert' | 'inOneGo'>; log: Log },
): string[] {
  const waiting: string[] = []
  const take = (id: string): void => {
    const row = readRow(paths, id, log)
    const end = row === null ? null : readEndOrFail(paths, id, log)
    if (row === null || !store.insert(end === null ? row : { ...row, ...end }).inserted)
      waiting.push(id)
  }
  for (let at = 0; at < ids.length; at += atOnce)
    store.inOneGo(() => {
      for (const id of ids.slice(at, at + atOnce)) take(id)
    })
  if (ids.length > waiting.length) log('runs_adopted', { count: ids.length - waiting.length })
  return waiting
}

/** Names of all run folders, oldest first. */
export function listRuns(paths: Runs): string[] {
  try {
    return readdirSync(paths.runs)
      .filter((name) => runIdPattern.test(name))
      .toSorted()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

function readRow(paths: Runs, id: string, log: Log): Run | null {
  try {
    const file = readJson(runJsonFile(paths, id), runFile, 'runner_lost')
    if (file === undefined) return null // its runner has not written its record yet, or never will
    if (file.run_id !== id) throw new Error(`run.json is of run ${file.run_id}`)
    return rowOf(file)
  } catch (error) {
    log('run_folder_unreadable', { run_id: id, why: toProblem(error).message })
    return null
  }
}
