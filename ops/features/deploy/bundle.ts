// The deploy's own bundle: the proof of its last attempt, its triage, and last of all its result.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DeployResult, Triage } from '#shared/result'
import { writeWhole } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { writeDocument } from '#ops/base/redact/write-document'
import { attemptFolder, deployFolder, deployResultFile, proofFiles } from './state/folders.ts'

/**
 * Gathers the proof files, the logs of the steps, and the triage. The result comes last (`writeResult`), so that a
 * folder with a result is a whole one.
 */
export function gatherBundle(
  paths: HostPaths,
  { run_id, attempt }: DeployResult,
  triage: Triage | null,
): void {
  const from = attemptFolder(paths, run_id, attempt)
  const to = deployFolder(paths, run_id)
  for (const name of proofFiles) {
    const file = join(from, name)
    if (existsSync(file)) writeWhole(join(to, name), readFileSync(file))
  }
  const logs = existsSync(from) ? readdirSync(from).filter((name) => name.endsWith('.log')) : []
  for (const name of logs) copyFileSync(join(from, name), join(to, name))
  if (triage) writeDocument(join(to, 'triage.json'), triage)
  else rmSync(join(to, 'triage.json'), { force: true })
}

export function writeResult(paths: HostPaths, result: DeployResult): void {
  writeDocument(join(deployFolder(paths, result.run_id), deployResultFile), result)
}
