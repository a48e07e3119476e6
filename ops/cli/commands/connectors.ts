import { join } from 'node:path'
import type { ConnectorName } from '#shared/connectors/list'
import { checkConnectorsAsSecretOwner } from '#ops/features/connectors/check-as-secret-owner'
import { connectorsDocument } from '#ops/features/connectors/document'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { hostPaths, runFolder } from '#ops/base/paths/paths'
import { writeDocument } from '#ops/base/redact/write-document'
import { cancelOnSignals } from '#ops/core/pipeline/run-context'
import { passedHostFiles, readHostFile, settingsOf } from '#ops/core/config/host-files'

/**
 * `hq connectors`: checks live whether each connector is ready.
 * @param probe internal: checks in this process and prints the reports as JSON
 * @param only internal: this connector alone
 * @param candidates internal: new secrets that wait for their proof, where there are any
 * @returns the exit code
 */
export async function run({
  probe = false,
  only,
  candidates = false,
  ...options
}: {
  json?: boolean
  probe?: boolean
  only?: ConnectorName
  candidates?: boolean
}): Promise<number> {
  if (!probe)
    return await runAsAction(
      { ...options, action: 'connectors_status' },
      async ({ context, signal }) => {
        const about = {
          kind: 'connectors' as const,
          runId: context.runId,
          startedAt: new Date().toISOString(),
          artifacts: { connectors: 'connectors.json' },
        }
        const paths = hostPaths()
        const document = connectorsDocument(
          about,
          await checkConnectorsAsSecretOwner(paths, signal),
        )
        writeDocument(
          join(runFolder(join(paths.artifacts, 'connectors'), context.runId), 'connectors.json'),
          document,
        )
        return document
      },
    )
  const paths = hostPaths()
  const { checkConnectors } = await import('#ops/features/connectors/check-connectors')
  const settings = settingsOf(passedHostFiles() ?? readHostFile(paths), paths)
  const reports = await checkConnectors({
    settings,
    paths,
    signal: cancelOnSignals(),
    only: only ?? null,
    candidates,
  })
  process.stdout.write(`${JSON.stringify(reports)}\n`)
  return 0
}
