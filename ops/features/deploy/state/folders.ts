// Where a deploy keeps its proof: `artifacts/deploy/<run_id>/`, with a folder for each attempt.
import { join } from 'node:path'
import { deployedFile } from '#shared/deployed'
import { runFolder, type HostPaths } from '#ops/base/paths/paths'

export const deployResultFile = 'deploy_result.json'

/** Files of the proof that the verifying steps leave in the attempt's folder. */
export const proofFiles = [
  'verify_production.json',
  'dod_result.json',
  'project_state.json',
  deployedFile,
] as const

/** @throws {RangeError} when `runId` is not a run id */
export const deployFolder = (paths: HostPaths, runId: string): string =>
  runFolder(join(paths.artifacts, 'deploy'), runId)

export const attemptFolder = (paths: HostPaths, runId: string, attempt: number): string =>
  join(deployFolder(paths, runId), 'attempts', String(attempt))
