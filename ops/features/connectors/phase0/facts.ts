import type { ConnectorReport } from '#shared/connectors'
import type { HarvestSummary, LibrarySummary } from '#shared/phase0'
import type { HostPaths } from '#ops/base/paths/paths'
import { Problem } from '#shared/errors'
import type { SecretOwner } from '../secret-owner.ts'

/** The run whose steps these are. */
export interface Phase0Host {
  readonly paths: HostPaths
  readonly runId: string
}

/** What the steps of Phase 0 find. */
export interface Phase0Facts {
  readonly owner: SecretOwner | null
  readonly reports: readonly ConnectorReport[] | null
  readonly library: LibrarySummary | null
  readonly harvest: HarvestSummary | null
}
export const noFacts: Phase0Facts = { owner: null, reports: null, library: null, harvest: null }

/** @throws {Problem} `internal_error` in a step that stands before the check of the connectors */
export function ownerOf({ owner }: Phase0Facts): SecretOwner {
  if (owner === null)
    throw new Problem('internal_error', 'The step ran before the connectors were checked.')
  return owner
}
