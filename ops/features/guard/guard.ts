import { join } from 'node:path'
import type { ChecksResult } from '#shared/result'
import { checksDocument, failures } from '#ops/core/checks/check'
import { runFolder } from '#ops/base/paths/paths'
import { redact } from '#ops/base/redact/redaction'
import { writeDocument } from '#ops/base/redact/write-document'
import { toJournal } from './journal.ts'
import { appendGuardLine, type GuardLine } from './log.ts'
import { guardPass } from './pass.ts'
import type { GuardHost } from './remediation.ts'

/**
 * Runs one pass. It writes a line to the guard log and, on a host with systemd, to the journal, and the document
 * `artifacts/guard/<run_id>/guard.json`.
 */
export async function runGuard(
  host: GuardHost,
  {
    runId,
    deployRunId,
    signal,
  }: { runId: string; deployRunId: string | null; signal?: AbortSignal },
): Promise<ChecksResult> {
  const { paths, settings } = host
  const startedAt = new Date().toISOString()
  const { checks, outcomes, mayNotAct } = await guardPass(host, signal)
  const about = {
    kind: 'guard',
    runId,
    deployRunId,
    startedAt,
    errorClass: 'guard_failed',
    artifacts: { guard: 'guard.json' },
  } as const
  const { overall, finished_at } = checksDocument(checks, about)
  const line: GuardLine = redact.json({
    time: finished_at,
    run_id: runId,
    overall,
    restarted: outcomes.flatMap(({ remediation, target, outcome }) =>
      remediation === 'restart_service' && outcome === 'applied' ? [target] : [],
    ),
    observed_only: mayNotAct !== null,
    observed_why: mayNotAct,
    remediations: outcomes,
    failed: failures(checks),
  })
  appendGuardLine(paths, line)
  const unwritten = settings.launcher === 'systemd' ? await toJournal(JSON.stringify(line)) : null
  if (unwritten !== null)
    checks.push({
      name: 'journal',
      status: 'WARN',
      detail: `The line of this pass is not in the journal: ${unwritten}`,
      remedy: 'prepare_host',
      duration_ms: 0,
    })
  const document = checksDocument(checks, about)
  writeDocument(join(runFolder(join(paths.artifacts, 'guard'), runId), 'guard.json'), document)
  return document
}
