// The verdict of a ship that was pushed already and not confirmed.
import { Problem } from '#shared/errors'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { isAccepted } from '#ops/features/ship/state/accepted-providers'
import type { EarlierShip } from '#ops/features/ship/state/resolve-earlier-ship'
import type { ShipFacts } from '#ops/features/ship/state/ship-facts'
import { proofFiles, type ProofFile } from './proof-files.ts'
import { copyReview, writeVerdict, type Reviewed } from './write-verdict.ts'

/**
 * Adopts the verdict that the remote has, while its provider is still accepted.
 * @throws {Problem} `review_provider_refused`
 */
export function adoptVerdict(
  { home, dir }: ShipFacts,
  { dir: from, runId, verdict }: EarlierShip,
): Reviewed {
  const { provider_id, base_url, scripted } = verdict.reviewer
  if (!isAccepted(readOperatorSettings(home), verdict.reviewer))
    throw new Problem(
      'review_provider_refused',
      `The verdict on the remote is by ${provider_id} at ${base_url}, which the operator settings no longer accept.`,
    )
  const names = (Object.keys(proofFiles) as ProofFile[]).filter((name) => name !== 'verdict')
  copyReview(from, dir, names)
  writeVerdict(dir, verdict)
  return { verdict, scripted, detail: `approved in ${runId} for this commit` }
}
