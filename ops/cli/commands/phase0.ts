import { join } from 'node:path'
import { toProblem } from '#shared/errors'
import type { ConnectorsResult } from '#shared/connectors'
import { checkConnectorsAsSecretOwner } from '#ops/features/connectors/check-as-secret-owner'
import { connectorsDocument, uncheckedDocument } from '#ops/features/connectors/document'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { hostPaths, runFolder } from '#ops/base/paths/paths'
import { writeDocument } from '#ops/base/redact/write-document'

/**
 * `hq phase0`: checks every connector live and leaves a proof however it ends. The runner seals it.
 * @returns the exit code
 */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'phase0' }, async ({ context, signal }) => {
    const about = {
      kind: 'phase0' as const,
      runId: context.runId,
      startedAt: new Date().toISOString(),
      artifacts: { phase0: 'phase0_result.json' },
    }
    const paths = hostPaths()
    let document: ConnectorsResult
    try {
      document = connectorsDocument(about, await checkConnectorsAsSecretOwner(paths, signal))
    } catch (error) {
      document = uncheckedDocument(about, toProblem(error)) // without a check Phase 0 fails, and leaves its proof
    }
    writeDocument(
      join(runFolder(join(paths.artifacts, 'phase0'), context.runId), 'phase0_result.json'),
      document,
    )
    return document
  })
