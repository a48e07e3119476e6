// Seals the proof of a ship that has ended, and of ships that were killed before.
import { join } from 'node:path'
import { toProblem } from '#shared/errors'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { proofKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { describePass, prunableBundles, prunePass } from '#ops/core/proof/retention'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { sealLeftovers } from '#ops/core/proof/unsealed'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { shipsFolder } from './proof-folder.ts'
import type { ShipFacts, ShipInput } from './ship-facts.ts'

/** Most bundles of earlier ships that one ship seals. */
const mostLeftovers = 20

/**
 * Seals what killed ships left, so that no later change of it goes unnoticed. Call it under the ship lock.
 * @returns why some stay unsealed
 */
export async function sealEarlierShips(
  { repo, home, runId }: Pick<ShipInput, 'repo' | 'home' | 'runId'>,
  key: SigningKey,
): Promise<string[]> {
  const { chainFile } = laptopProofPaths(home, repo)
  const { failed } = await sealLeftovers({
    root: join(shipsFolder(repo), '..'),
    kinds: ['ship'],
    chainFile,
    key,
    except: new Set([runId]),
    most: mostLeftovers,
  })
  return failed.map(
    ({ runId: id, problem }) => `the proof of ${id} stays unsealed: ${problem.message}`,
  )
}

/**
 * Seals the bundle of a ship that has ended; nothing writes to it any more. Then deletes old logs. A failure of either
 * changes no result: it is reported through `warn`.
 */
export async function sealShip(
  { repo, home, runId, dir, key, head, tree }: ShipFacts,
  warn: (text: string) => void,
): Promise<void> {
  try {
    const paths = laptopProofPaths(home, repo)
    const { redacted } = await sealBundle({
      dir,
      kind: 'ship',
      runId,
      chainFile: paths.chainFile,
      key: key ?? (await proofKey(paths)),
      gitHead: head,
      gitTree: tree,
    })
    if (redacted.length > 0)
      warn(`Secrets were removed from ${redacted.join(', ')} before sealing.`)
  } catch (error) {
    const problem = toProblem(error)
    warn(`The proof of this ship was not sealed: ${problem.errorClass}: ${problem.message}`)
  }
  // A ship has its key once it holds the lock of the repository. Without the lock another ship may be sealing.
  if (key !== null) await retainShips({ repo, home }, key, warn)
}

/** Deletes old logs of this repository's ships by the operator's retention. Never fails a ship. */
async function retainShips(
  { repo, home }: Pick<ShipInput, 'repo' | 'home'>,
  key: SigningKey,
  warn: (text: string) => void,
): Promise<void> {
  try {
    const { found } = await prunableBundles(join(repo, 'artifacts'), ['ship'], key)
    for (const line of describePass(await prunePass(found, readOperatorSettings(home).retention)))
      warn(line)
  } catch (error) {
    const problem = toProblem(error)
    warn(`Old logs of ships were not deleted: ${problem.errorClass}: ${problem.message}`)
  }
}
