import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Lane } from '#shared/actions'
import type { ConnectorName } from '#shared/connectors/list'
import { runId, timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

type Locks = Pick<HostPaths, 'locks'>

/** Held by the runner of a run while it lives. Free and no result: the runner is lost. */
export const runLockFile = (paths: Locks, id: string): string => join(paths.locks, `run-${id}.lock`)
/** Held by the one run of a lane. */
export const laneLockFile = (paths: Locks, lane: Lane): string =>
  join(paths.locks, `lane-${lane}.lock`)
/** Held by the one hostd of a host: beside its index, in the only folder that it may write. */
export const hostdLockFile = ({ index }: Pick<HostPaths, 'index'>): string =>
  join(dirname(index), 'hostd.lock')
/** Held while a ship bundle is stored. */
export const storeLockFile = (paths: Locks): string => join(paths.locks, 'store-ship.lock')

/** Held while the secrets of one connector are written, proved, renewed or deleted. */
export const secretsLockFile = (paths: Locks, name: ConnectorName): string =>
  join(paths.locks, `connector-secrets-${name}.lock`)
/** Held for a moment while something is written that the connectors share: their folder, their list, host.json. */
export const connectorFilesLockFile = (paths: Locks): string =>
  join(paths.locks, 'connector-files.lock')

/** Held while the maintenance file is read and written again. */
export const maintenanceLockFile = (paths: Locks): string => join(paths.locks, 'maintenance.lock')

const laneHolder = z.strictObject({
  schema_version: z.literal(1),
  run_id: runId,
  action: z.string(),
  pid: z.number().int(),
  since: timestamp,
})
export type LaneHolder = z.infer<typeof laneHolder>
const noteFile = (paths: Locks, lane: Lane): string => join(paths.locks, `lane-${lane}.json`)

/** Notes for people who holds a lane. Only the lock decides; the note means nothing once the lock is free. */
export const noteLaneHolder = (
  paths: Locks,
  lane: Lane,
  holder: Omit<LaneHolder, 'schema_version'>,
): void => writeJson(noteFile(paths, lane), { schema_version: 1, ...holder })

/** @returns null when nobody left a note @throws {Problem} `state_invalid` when the note cannot be read */
export const readLaneHolder = (paths: Locks, lane: Lane): LaneHolder | null =>
  readJson(noteFile(paths, lane), laneHolder, 'state_invalid') ?? null
