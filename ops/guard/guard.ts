import { join } from 'node:path'
import type { ChecksResult } from '#shared/result'
import { checksDocument, failures } from '#ops/doctor/check'
import { writeDocument } from '#ops/redact/write-document'
import { runFolder, type HostPaths } from '#ops/paths'
import { appendGuardLine } from './log.ts'
import { guardPass } from './pass.ts'

/** Runs one pass and leaves its line in the guard log and `artifacts/guard/<run_id>/guard.json`. */
export async function runGuard(paths: HostPaths, { runId, deployRunId, signal }: { runId: string; deployRunId: string | null; signal?: AbortSignal }): Promise<ChecksResult> {
  const startedAt = new Date().toISOString()
  const { checks, restarted, observedOnly } = await guardPass(paths, signal)
  const document = checksDocument(checks, { kind: 'guard', runId, deployRunId, startedAt, errorClass: 'guard_failed', artifacts: { guard: 'guard.json' } })
  appendGuardLine(paths, { time: document.finished_at, run_id: runId, overall: document.overall, restarted, observed_only: observedOnly, failed: failures(checks) })
  writeDocument(join(runFolder(join(paths.artifacts, 'guard'), runId), 'guard.json'), document)
  return document
}
