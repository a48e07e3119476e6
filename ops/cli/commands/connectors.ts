import { join } from 'node:path'
import { askConnectors } from '#ops/features/connectors/ask'
import { connectorsDocument } from '#ops/features/connectors/document'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { hostPaths, runFolder } from '#ops/base/paths/paths'
import { writeDocument } from '#ops/base/redact/write-document'
import { cancelOnSignals } from '#ops/core/pipeline/run-context'
import { readHostSettings } from '#ops/core/config/settings-files'

/** `hq connectors`: are Kajabi and Gmail ready? @param probe internal: checks in this process and prints the reports as JSON @returns the exit code */
export async function run({
  probe = false,
  ...options
}: {
  json?: boolean
  probe?: boolean
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
        const document = connectorsDocument(about, await askConnectors(paths, signal))
        writeDocument(
          join(runFolder(join(paths.artifacts, 'connectors'), context.runId), 'connectors.json'),
          document,
        )
        return document
      },
    )
  const paths = hostPaths()
  const { lookAtConnectors } = await import('#ops/features/connectors/look')
  process.stdout.write(
    `${JSON.stringify(await lookAtConnectors(readHostSettings(paths), paths, cancelOnSignals()))}\n`,
  )
  return 0
}
