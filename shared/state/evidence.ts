/** Which ship result counts for the newest change, and where copies of its proof are. */
import type { Overview } from '../bridge.ts'
import type { ShipResult } from '../result.ts'
import type { ProofTrouble } from './proof.ts'

/** The newest change: the head of the repository; without one on this machine, the newest that the host knows. */
export function newestCommit({ repository, status }: Overview): string | null {
  if (repository !== null) return repository.head
  return status?.last_ship.result?.git_head ?? status?.state?.target_sha ?? null
}

interface Evidence {
  readonly result: ShipResult | null
  readonly copies: readonly ProofTrouble['place'][]
}

/** A PASS before anything else, then the newer of laptop and host. */
export function evidenceOf(commit: string | null, { status, ship_result }: Overview): Evidence {
  const host = status?.last_ship.result ?? null
  const result =
    [ship_result, host]
      .filter((each) => each !== null)
      .filter(({ git_head }) => git_head === commit)
      .toSorted(
        (a, b) =>
          Number(b.overall === 'PASS') - Number(a.overall === 'PASS') ||
          b.finished_at.localeCompare(a.finished_at),
      )[0] ?? null
  const onHost = (runId: string): boolean =>
    host?.run_id === runId || status?.bundles.ship?.run_id === runId
  const copies: ProofTrouble['place'][] = []
  if (result !== null && ship_result?.run_id === result.run_id) copies.push('laptop')
  if (result !== null && onHost(result.run_id)) copies.push('host')
  return { result, copies }
}
