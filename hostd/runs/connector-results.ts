import { join } from 'node:path'
import { hostSettings, type HostSettings } from '#shared/config'
import { connectorsResult, type ConnectorsResult } from '#shared/connectors'
import { usedConnectors } from '#shared/connectors/used'
import type { HostPaths } from '#ops/base/paths/paths'
import {
  connectorResultFile,
  connectorResults,
  knownConnectors,
  mostRuns,
  type KnownConnectors,
} from '#ops/core/host-state/connector-results'
import type { Documents } from './documents.ts'

/** What the newest runs found at the connectors. hostd itself checks nothing and may read no secret of them. */
export interface ConnectorResults {
  known(): KnownConnectors
  /** host.json as it is now: a run may have changed it since hostd was started. */
  settings(): HostSettings
  /** The newest Phase 0, also one that ended before it had checked. */
  lastPhase0(): ConnectorsResult | null
}

export function readConnectorResults(
  { paths, settings }: { readonly paths: HostPaths; readonly settings: HostSettings },
  docs: Documents,
): ConnectorResults {
  const settingsNow = (): HostSettings => docs.read(paths.hostSettings, hostSettings) ?? settings
  /** @param most results, newest first */
  const newest = (kind: (typeof connectorResults)[number], most: number): ConnectorsResult[] => {
    const found: ConnectorsResult[] = []
    docs.newest(join(paths.artifacts, kind.folder), (_folder, id) => {
      const result = docs.read(connectorResultFile(paths, kind, id), connectorsResult)
      if (result?.run_id === id) found.push(result)
      return found.length < most ? null : true
    })
    return found
  }
  const [, phase0] = connectorResults
  return {
    settings: settingsNow,
    known: () =>
      knownConnectors(
        usedConnectors(settingsNow()),
        connectorResults.flatMap((kind) => newest(kind, mostRuns)),
      ),
    lastPhase0: () => newest(phase0, 1)[0] ?? null,
  }
}
