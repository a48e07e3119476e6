import { join } from 'node:path'
import { checksDocument } from '../doctor/check.ts'
import { runAsAction } from '../doctor/check-command.ts'
import { doctorContext } from '../doctor/context.ts'
import { runDoctor } from '../doctor/doctor.ts'
import { writeDocument } from '#ops/redact/write-document'
import { runFolder } from '../paths.ts'

/** `hq doctor` @returns the exit code */
export const run = (options: { json?: boolean; unattended?: boolean }): Promise<number> =>
  runAsAction('doctor', {}, options, async ({ context, signal }) => {
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
