import { join } from 'node:path'
import { runAsAction } from '../doctor/check-command.ts'
import { checksDocument } from '../doctor/check.ts'
import { doctorContext } from '../doctor/context.ts'
import { verify, verifyClass } from '../deploy/verify.ts'
import { writeDocument } from '#ops/redact/write-document'
import { runFolder } from '../paths.ts'

/** `hq verify`: what a deploy verifies, against what was last recorded as serving @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction('verify_production', {}, options, async ({ context, signal }) => {
    const startedAt = new Date().toISOString()
    const host = doctorContext(context.deployRunId)
    const { checks } = await verify(host, { sha: null, digest: null }, { signal })
    const document = checksDocument(checks, {
      kind: 'verify_production',
      runId: context.runId,
      deployRunId: context.deployRunId,
      startedAt,
      errorClass: verifyClass,
      artifacts: { verify_production: 'verify_production.json' },
    })
    writeDocument(
      join(
        runFolder(join(host.paths.artifacts, 'verify'), context.runId),
        'verify_production.json',
      ),
      document,
    )
    return document
  })
