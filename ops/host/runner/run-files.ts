import { join } from 'node:path'
import { resultDocument, type ResultDocument } from '#shared/result'
import { runFile, type RunFile, type RunStatus } from '#shared/run'
import { errorRule, type ErrorClass } from '#shared/errors'
import { readJson } from '#ops/base/files/json-file'
import { runFolder, type HostPaths } from '#ops/base/paths/paths'

type Runs = Pick<HostPaths, 'runs'>

export const runLogFile = (paths: Runs, id: string): string =>
  join(runFolder(paths.runs, id), 'log.ndjson')
export const runJsonFile = (paths: Runs, id: string): string =>
  join(runFolder(paths.runs, id), 'run.json')
export const runResultFile = (paths: Runs, id: string): string =>
  join(runFolder(paths.runs, id), 'result.json')

/** @returns null when the runner has not written it (yet) @throws {Problem} `runner_lost` when it is off its schema */
export const readRunFile = (paths: Runs, id: string): RunFile | null =>
  readJson(runJsonFile(paths, id), runFile, 'runner_lost') ?? null

/** @returns null when the run has not ended @throws {Problem} `action_no_result` when it cannot be read or is off its schema */
export const readRunResult = (paths: Runs, id: string): ResultDocument | null =>
  readJson(runResultFile(paths, id), resultDocument, 'action_no_result') ?? null

/** What a result document means for the state of its run (design §4). */
export function statusOf({
  overall,
  error_class,
}: Pick<ResultDocument, 'overall' | 'error_class'>): RunStatus {
  if (overall === 'PASS') return 'passed'
  return error_class === 'cancelled' ||
    error_class === 'interrupted' ||
    error_class === 'runner_lost'
    ? error_class
    : 'failed'
}

/**
 * The result document of a run whose action gave none, or none that can be believed.
 * @param base what the action did report, when it reported anything; its steps and commit are kept
 * @param detail why, in one sentence
 */
export function failDocument(
  run: { run_id: string; started_at: string },
  errorClass: ErrorClass,
  detail: string,
  base: ResultDocument | null = null,
): ResultDocument {
  return {
    git_head: null,
    git_tree: null,
    steps: [],
    artifacts: {},
    step_failed: null,
    ...base,
    schema_version: 1,
    run_id: run.run_id,
    started_at: run.started_at,
    overall: 'FAIL',
    error_class: errorClass,
    next_auto_fix: errorRule(errorClass).next_auto_fix,
    finished_at: new Date().toISOString(),
    detail,
  }
}
