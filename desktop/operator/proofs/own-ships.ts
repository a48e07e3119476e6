/** What this laptop finds when it reads the proof of its own ship again. */
import type { Overview } from '#shared/bridge'
import { shipFolder } from '../ships/folder.ts'
import type { ProofList } from './proofs.ts'

/** What the Overview says of the proof of one ship. A folder that has not changed since is not read again. */
export async function ownShipProof(
  { verify }: Pick<ProofList, 'verify'>,
  repository: string,
  runId: string,
): Promise<NonNullable<Overview['ship_proof']>> {
  const { state, problems } = await verify(shipFolder(repository, runId))
  return { run_id: runId, state, problem: problems[0] ?? null }
}
