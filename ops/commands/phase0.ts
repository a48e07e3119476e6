import { join } from 'node:path'
import { toProblem } from '#shared/errors'
import type { ConnectorsResult } from '#shared/connectors'
import { askConnectors } from '../connectors/ask.ts'
import { connectorsDocument, unseenDocument } from '../connectors/document.ts'
import { runAsAction } from '../doctor/check-command.ts'
import { hostPaths, runFolder } from '../paths.ts'
import { writeDocument } from '../redact/write-document.ts'

/** `hq phase0`: both connectors, live, with a proof however it ends (design §9). The runner seals it. @returns the exit code */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction('phase0', {}, options, async ({ context, signal }) => {
    const about = {
      kind: 'phase0' as const,
      runId: context.runId,
      startedAt: new Date().toISOString(),
      artifacts: { phase0: 'phase0_result.json' },
    }
    const paths = hostPaths(process.env)
    let document: ConnectorsResult
    try {
      document = connectorsDocument(about, await askConnectors(paths, signal))
    } catch (error) {
      document = unseenDocument(about, toProblem(error)) // no look is a FAIL of Phase 0, with its own proof
    }
    writeDocument(
      join(runFolder(join(paths.artifacts, 'phase0'), context.runId), 'phase0_result.json'),
      document,
    )
    return document
  })
