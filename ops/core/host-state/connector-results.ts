import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  connectorsResult,
  type ConnectorDetail,
  type ConnectorReport,
  type ConnectorsResult,
} from '#shared/connectors'
import type { ConnectorName } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import { readJson } from '#ops/base/files/json-file'
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
  /** The newest report of each connector that the host uses, in the order of `connectorNames`; fewer, if it has none. */
  readonly reports: readonly ConnectorReport[]
  /** Its last checks, newest first. */
  readonly history: (name: ConnectorName) => ConnectorDetail['history']
  /** The newest run that checked any. */
  readonly last: ConnectorsResult | null
}

/**
 * @param used the connectors that the host uses now; what was found at another one earlier is not reported
 * @param results of runs in any order; those without reports are left out
 */
export function knownConnectors(
  used: readonly ConnectorName[],
  results: readonly ConnectorsResult[],
): KnownConnectors {
  const newestFirst = results
    .filter(({ connectors }) => connectors !== null)
    .toSorted((a, b) => (a.finished_at < b.finished_at ? 1 : -1))
  const checksOf = (name: ConnectorName): { run_id: string; report: ConnectorReport }[] =>
    newestFirst.flatMap(({ run_id, connectors }) =>
      (connectors ?? []).flatMap((report) => (report.name === name ? [{ run_id, report }] : [])),
    )
  return {
    reports: used.flatMap((name) => checksOf(name)[0]?.report ?? []),
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

/** Runs of each kind that are looked through, newest first. */
export const mostRuns = 50

/**
 * What the newest runs of this host found, from their folders. A document that cannot be read is passed over.
 * @param used as above
 * @throws the system's error when the artifacts cannot be read
 */
export function readKnownConnectors(
  used: readonly ConnectorName[],
  paths: Pick<HostPaths, 'artifacts'>,
): KnownConnectors {
  const found = connectorResults.flatMap((kind) => {
    const base = join(paths.artifacts, kind.folder)
    const ids = existsSync(base) ? readdirSync(base).filter((name) => runIdPattern.test(name)) : []
    const newest = ids.toSorted().toReversed().slice(0, mostRuns)
    return newest.flatMap((id) => readResult(connectorResultFile(paths, kind, id)) ?? [])
  })
  return knownConnectors(used, found)
}

function readResult(path: string): ConnectorsResult | null {
  try {
    return readJson(path, connectorsResult, 'state_invalid') ?? null
  } catch (error) {
    if (error instanceof Problem) return null // an older run may say more
    throw error
  }
}
