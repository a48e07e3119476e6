import { join } from 'node:path'
import { checksDocument, runChecks } from '#ops/core/checks/check'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { doctorContext } from '#ops/core/checks/context'
import { writeDocument } from '#ops/base/redact/write-document'
import { runFolder } from '#ops/base/paths/paths'
import { auditChecks, auditClass } from '#ops/features/port-audit/checks'

/** Limit of a check, milliseconds: longer than within doctor. */
const auditMs = 30_000

/** `hq port-audit`: audits what can be reached from outside. @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'port_audit' }, async ({ context, signal }) => {
    const startedAt = new Date().toISOString()
    const host = doctorContext(context.deployRunId)
    const { paths } = host
    const checks = await runChecks(auditChecks(host, auditMs), signal)
    const document = checksDocument(checks, {
      kind: 'port_audit',
      runId: context.runId,
      deployRunId: context.deployRunId,
      startedAt,
      errorClass: (failed) => (failed.name === 'checks' ? 'host_not_ready' : auditClass(failed)),
      artifacts: { port_audit: 'port_audit.json' },
    })
    writeDocument(
      join(runFolder(join(paths.artifacts, 'port_audit'), context.runId), 'port_audit.json'),
      document,
    )
    return document
  })
