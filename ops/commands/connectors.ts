import { join } from 'node:path'
import { askConnectors } from '../connectors/ask.ts'
import { connectorsDocument } from '../connectors/document.ts'
import { runAsAction } from '../doctor/check-command.ts'
import { hostPaths, runFolder } from '../paths.ts'
import { writeDocument } from '../redact/write-document.ts'
import { cancelOnSignals } from '../run-context.ts'
import { readHostSettings } from '../settings-files.ts'

/** `hq connectors`: are Kajabi and Gmail ready? @param look internal: looks, and says what it found as JSON @returns the exit code */
export async function run({
  look = false,
  ...options
}: {
  json?: boolean
  look?: boolean
}): Promise<number> {
  if (!look)
    return await runAsAction('connectors_status', {}, options, async ({ context, signal }) => {
      const about = {
        kind: 'connectors' as const,
        runId: context.runId,
        startedAt: new Date().toISOString(),
        artifacts: { connectors: 'connectors.json' },
      }
      const paths = hostPaths(process.env)
      const document = connectorsDocument(about, await askConnectors(paths, signal))
      writeDocument(
        join(runFolder(join(paths.artifacts, 'connectors'), context.runId), 'connectors.json'),
        document,
      )
      return document
    })
  const paths = hostPaths(process.env)
  const { lookAtConnectors } = await import('../connectors/look.ts')
  process.stdout.write(
    `${JSON.stringify(await lookAtConnectors(readHostSettings(paths), paths, cancelOnSignals()))}\n`,
  )
  return 0
}
