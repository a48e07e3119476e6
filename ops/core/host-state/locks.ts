import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { Lane } from '#shared/actions'
import { runId, timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { tryLock, type Lock } from '#ops/base/files/lock'
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

/**
 * Takes a lock, and tries again for a while: a check of the lock by another process, or a holder that is just ending,
 * is not a reason to give up.
 * @param waitMs how long to try, milliseconds
 * @returns null when another holder keeps it that long
 */
export async function takeLock(file: string, waitMs: number): Promise<Lock | null> {
  for (const end = Date.now() + waitMs; ;) {
    const lock = tryLock(file)
    if (lock !== null || Date.now() >= end) return lock
    await delay(25)
  }
}

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
