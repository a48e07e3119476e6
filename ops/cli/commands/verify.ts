import { join } from 'node:path'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { checksDocument } from '#ops/core/checks/check'
import { doctorContext } from '#ops/core/checks/context'
import { verify, verifyClass } from '#ops/features/deploy/verify/verify'
import { writeDocument } from '#ops/base/redact/write-document'
import { runFolder } from '#ops/base/paths/paths'

/** `hq verify`: verifies what a deploy verifies, for the version recorded as serving. @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'verify_production' }, async ({ context, signal }) => {
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
