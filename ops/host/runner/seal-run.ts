import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { actionOf, type ActionId } from '#shared/actions'
import { toProblem } from '#shared/errors'
import type { ResultDocument } from '#shared/result'
import type { HostPaths } from '#ops/base/paths/paths'
import { runFolder } from '#ops/base/paths/paths'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { sealLeftovers } from '#ops/core/proof/unsealed'

/** Most bundles of earlier runs that one run seals: a run must not wait for a long past. */
const mostLeftovers = 20

/**
 * Seals the bundle of a run whose action has ended, and those that runs of the same action left unsealed. Called under
 * the lock of the action's lane, so nobody writes there. A seal that fails is logged and changes no result.
 */
export async function sealRun(
  paths: HostPaths,
  { action, run_id }: { action: ActionId; run_id: string },
  { document, say }: { document: ResultDocument; say: (text: string) => void },
): Promise<void> {
  const kind = actionOf(action).bundle
  if (kind === null) return
  try {
    const proofPaths = hostProofPaths(paths)
    const { chainFile } = proofPaths
    const key = await proofKey(proofPaths)
    const { failed } = await sealLeftovers({
      root: paths.artifacts,
      kinds: [kind],
      chainFile,
      key,
      except: new Set([run_id]),
      most: mostLeftovers,
    })
    for (const { runId, problem } of failed)
      say(`The proof of ${runId} stays unsealed: ${problem.message}`)
    const dir = runFolder(join(paths.artifacts, kind), run_id)
    if (existsSync(dir)) {
      const { redacted } = await sealBundle({
        dir,
        kind,
        runId: run_id,
        chainFile,
        key,
        gitHead: document.git_head,
        gitTree: document.git_tree,
      })
      if (redacted.length > 0)
        say(`Secrets were removed from ${redacted.join(', ')} before sealing.`)
    }
  } catch (error) {
    const problem = toProblem(error)
    say(`The proof of this run was not sealed: ${problem.errorClass}: ${problem.message}`)
  }
}
