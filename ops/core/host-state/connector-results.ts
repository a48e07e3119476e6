import { join } from 'node:path'
import type { ConnectorDetail, ConnectorReport, ConnectorsResult } from '#shared/connectors'
import { connectorNames, type ConnectorName } from '#shared/connectors/list'
import { runFolder, type HostPaths } from '#ops/base/paths/paths'

/** Where runs leave what they found at the connectors: a folder of the artifacts, and the file in each run's folder. */
export const connectorResults = [
  { folder: 'connectors', file: 'connectors.json' },
  { folder: 'phase0', file: 'phase0_result.json' },
] as const

/** Checks of one connector that are kept in view. */
const mostChecks = 10

/** @param id of the run */
export const connectorResultFile = (
  { artifacts }: Pick<HostPaths, 'artifacts'>,
  { folder, file }: (typeof connectorResults)[number],
  id: string,
): string => join(runFolder(join(artifacts, folder), id), file)

export interface KnownConnectors {
  /** The newest report of each connector that has one, in the order of `connectorNames`. */
  readonly reports: readonly ConnectorReport[]
  /** Its last checks, newest first. */
  readonly history: (name: ConnectorName) => ConnectorDetail['history']
  /** The newest run that checked any. */
  readonly last: ConnectorsResult | null
}

/** @param results of runs in any order; those without reports are left out */
export function knownConnectors(results: readonly ConnectorsResult[]): KnownConnectors {
  const newestFirst = results
    .filter(({ connectors }) => connectors !== null)
    .toSorted((a, b) => (a.finished_at < b.finished_at ? 1 : -1))
  const checksOf = (name: ConnectorName): { run_id: string; report: ConnectorReport }[] =>
    newestFirst.flatMap(({ run_id, connectors }) =>
      (connectors ?? []).flatMap((report) => (report.name === name ? [{ run_id, report }] : [])),
    )
  return {
    reports: connectorNames.flatMap((name) => checksOf(name)[0]?.report ?? []),
    history: (name) =>
      checksOf(name)
        .slice(0, mostChecks)
        .map(({ run_id, report: { checked_at, state, error_class } }) => ({
          run_id,
          checked_at,
          state,
          error_class,
        })),
    last: newestFirst[0] ?? null,
  }
}
