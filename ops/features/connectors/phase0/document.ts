import type { ConnectorsResult } from '#shared/connectors'
import type { Problem } from '#shared/errors'
import { harvestFile, libraryFile } from '#shared/phase0'
import type { ResultFields } from '#shared/result'
import { failureOf, toCheck } from '../document.ts'
import type { Phase0Facts } from './facts.ts'

/**
 * The result of Phase 0.
 * @param base the fields that its pipeline fills
 * @param problem why it failed; null: it passed
 */
export function phase0Document(
  base: ResultFields,
  { reports, library, harvest }: Phase0Facts,
  problem: Problem | null,
): ConnectorsResult {
  const failure = reports === null ? null : failureOf('phase0', reports)
  return {
    ...base,
    // The connector is what a person looks for, and not the step that checked them all.
    step_failed: failure?.name ?? base.step_failed,
    artifacts: {
      ...base.artifacts,
      ...(library === null ? {} : { library: libraryFile }),
      ...(harvest === null ? {} : { harvest: harvestFile }),
    },
    kind: 'phase0',
    checks: reports?.map(toCheck) ?? [],
    connectors: reports === null ? null : [...reports],
    ...(library === null ? {} : { library }),
    ...(harvest === null ? {} : { harvest }),
    ...(problem === null || failure !== null ? {} : { detail: problem.message }),
  }
}
