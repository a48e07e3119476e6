import { join } from 'node:path'
import { checksDocument } from '#ops/core/checks/check'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { doctorContext } from '#ops/core/checks/context'
import { runDoctor } from '#ops/features/doctor/doctor'
import { writeDocument } from '#ops/base/redact/write-document'
import { runFolder } from '#ops/base/paths/paths'

/** `hq doctor`: runs every check of doctor. @returns the exit code */
export const run = (options: { json?: boolean; unattended?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'doctor' }, async ({ context, signal }) => {
    const startedAt = new Date().toISOString()
    const host = doctorContext(context.deployRunId)
    const checks = await runDoctor(host, signal)
    const document = checksDocument(checks, {
      kind: 'doctor',
      runId: context.runId,
      deployRunId: context.deployRunId,
      startedAt,
      errorClass: 'doctor_failed',
      artifacts: { doctor: 'doctor.json' },
    })
    writeDocument(
      join(runFolder(join(host.paths.artifacts, 'doctor'), context.runId), 'doctor.json'),
      document,
    )
    return document
  })
