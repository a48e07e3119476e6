/** What is wrong with the proofs that the state rests on: broken, or unreadable, and where. */
import type { Overview } from '../bridge.ts'
import type { ProofProblem } from '../proof.ts'

/** A proof that nothing can rest on any more. */
export interface ProofTrouble {
  readonly kind: 'ship' | 'deploy'
  readonly place: 'laptop' | 'host'
  readonly run_id: string
  /** `broken`: it differs from what was sealed. `unreadable`: its result cannot be read, so nobody knows. */
  readonly state: 'broken' | 'unreadable'
  /** The first file that is not as sealed, or the one that cannot be read; null when it is the bundle as a whole. */
  readonly file: string | null
  readonly detail: string
}

/** Every trouble that is known, the newest run first. */
export function troublesOf({
  status,
  ship_proof,
}: Pick<Overview, 'status' | 'ship_proof'>): ProofTrouble[] {
  const host = (['ship', 'deploy'] as const).flatMap((kind): ProofTrouble[] => {
    const bundle = status?.bundles[kind] ?? null
    if (bundle?.verification !== 'broken') return []
    return [broken({ kind, place: 'host', run_id: bundle.run_id }, bundle.problem)]
  })
  const unreadable = (status?.unreadable ?? []).flatMap(
    ({ kind, run_id, file, detail }): ProofTrouble[] =>
      run_id === null || (kind !== 'ship' && kind !== 'deploy')
        ? []
        : [{ kind, place: 'host', run_id, state: 'unreadable', file, detail }],
  )
  const own =
    ship_proof?.state === 'broken'
      ? [broken({ kind: 'ship', place: 'laptop', run_id: ship_proof.run_id }, ship_proof.problem)]
      : []
  return [...host, ...unreadable, ...own].toSorted((a, b) => b.run_id.localeCompare(a.run_id))
}

const broken = (
  where: Pick<ProofTrouble, 'kind' | 'place' | 'run_id'>,
  problem: ProofProblem | null | undefined,
): ProofTrouble => ({
  ...where,
  state: 'broken',
  file: problem?.file ?? null,
  detail: problem?.detail ?? 'It differs from what was sealed.',
})

/** The trouble of one bundle, wherever it is kept. */
export const troubleOf = (
  troubles: readonly ProofTrouble[],
  kind: ProofTrouble['kind'],
  runId: string | null | undefined,
): ProofTrouble | null =>
  troubles.find((trouble) => trouble.kind === kind && trouble.run_id === runId) ?? null

/**
 * Whether no whole copy of a ship's proof is left: what it proved is then not proven any more.
 * @param copies where a copy of it is
 */
export const shipIsLost = (
  troubles: readonly ProofTrouble[],
  runId: string,
  copies: readonly ProofTrouble['place'][],
): boolean =>
  copies.length > 0 &&
  copies.every((place) =>
    troubles.some(
      (trouble) => trouble.kind === 'ship' && trouble.run_id === runId && trouble.place === place,
    ),
  )
