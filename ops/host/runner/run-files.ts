import { join } from 'node:path'
import { resultDocument, type ResultDocument } from '#shared/result'
import { runFile, type RunFile, type RunStatus } from '#shared/run'
import { readJson } from '#ops/base/files/json-file'
import { runFolder, type HostPaths } from '#ops/base/paths/paths'

type Runs = Pick<HostPaths, 'runs'>

export const runLogFile = (paths: Runs, id: string): string =>
  join(runFolder(paths.runs, id), 'log.ndjson')
export const runJsonFile = (paths: Runs, id: string): string =>
  join(runFolder(paths.runs, id), 'run.json')
export const runResultFile = (paths: Runs, id: string): string =>
  join(runFolder(paths.runs, id), 'result.json')

/**
 * @returns null when the runner has not written it yet
 * @throws {Problem} `runner_lost` when it does not match its schema
 */
export const readRunFile = (paths: Runs, id: string): RunFile | null =>
  readJson(runJsonFile(paths, id), runFile, 'runner_lost') ?? null

/**
 * @returns null when the run has not ended
 * @throws {Problem} `action_no_result` when it cannot be read or does not match its schema
 */
export const readRunResult = (paths: Runs, id: string): ResultDocument | null =>
  readJson(runResultFile(paths, id), resultDocument, 'action_no_result') ?? null

/** The state of a run by its result document: three failure classes are states, every other one is `failed`. */
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
