import { join } from 'node:path'
import { checksDocument, runChecks } from '../doctor/check.ts'
import { runAsAction } from '../doctor/check-command.ts'
import { doctorContext } from '../doctor/context.ts'
import { writeDocument } from '#ops/redact/write-document'
import { runFolder } from '../paths.ts'
import { auditChecks, auditClass } from '../ports/checks.ts'

/** The audit itself may take longer than one check of doctor, milliseconds. */
const auditMs = 30_000

/** `hq port-audit` @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction('port_audit', {}, options, async ({ context, signal }) => {
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
