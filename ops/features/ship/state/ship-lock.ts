// The lock of a repository: one ship at a time, all its working trees together.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { commitId, runId as runIdSchema, timestamp } from '#shared/ids'
import { commonDir } from '#ops/platform/git/work-tree'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { isLocked } from '#ops/base/files/lock'
import { bootId, identify } from '#ops/base/process/process-tree'
import { takeLock } from '#ops/base/files/lock'

/** Beside the lock: who holds it. Valid only while the lock is held. */
const holder = z.strictObject({
  schema_version: z.literal(1),
  run_id: runIdSchema,
  commit: commitId.optional(),
  pid: z.number().int().positive(),
  since: timestamp,
  start_time: z.string().optional(),
  boot_id: z.string().optional(),
})

/** HQ probes the lock every second, which holds it for an instant: a ship retries this long, in milliseconds. */
const lockWaitMs = 2000

const lockFile = (folder: string): string => join(folder, 'openclaw-ship.lock')
const holderFile = (folder: string): string => join(folder, 'openclaw-ship.json')
const readHolder = (folder: string) => readJson(holderFile(folder), holder, 'internal_error')

export interface ShipLock {
  /** Run that held the lock before and ended without giving it back: killed. */
  readonly lost: string | null
  release(): void
}

/**
 * One ship at a time per repository, all its working trees together.
 * @param commit what it ships
 * @throws {Problem} `ship_lock_held`, naming the run to join
 */
export async function takeShipLock(repo: string, runId: string, commit: string): Promise<ShipLock> {
  const folder = await commonDir(repo)
  const lock = await takeLock(lockFile(folder), lockWaitMs)
  if (!lock) {
    const active = readHolder(folder)?.run_id ?? 'a run that has just begun'
    throw new Problem(
      'ship_lock_held',
      `Another ship of this repository is active: ${active}. Nothing was started.`,
      { evidence: [`active_run_id ${active}`] },
    )
  }
  try {
    const lost = readHolder(folder)?.run_id ?? null
    writeJson(holderFile(folder), {
      schema_version: 1,
      run_id: runId,
      commit,
      pid: process.pid,
      since: new Date().toISOString(),
      start_time: identify(process.pid)?.start_time,
      boot_id: bootId(),
    })
    return {
      lost,
      release: () => {
        rmSync(holderFile(folder), { force: true })
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

export interface ActiveShip {
  readonly run_id: string
  /** Null for a ship of an older HQ, which did not record it. */
  readonly commit: string | null
  /** The process that holds the lock, with its start, because process ids are reused; null likewise. */
  readonly process: {
    readonly pid: number
    readonly start_time: string
    readonly boot_id: string
  } | null
}

/** The ship that is active in this repository and what it ships, or null. For HQ, which joins it. */
export async function activeShipOf(repo: string): Promise<ActiveShip | null> {
  const folder = await commonDir(repo)
  const held = isLocked(lockFile(folder)) ? readHolder(folder) : undefined
  if (!held) return null
  const { run_id, commit = null, pid, start_time, boot_id } = held
  return {
    run_id,
    commit,
    process:
      start_time === undefined || boot_id === undefined ? null : { pid, start_time, boot_id },
  }
}

/** Run id of the ship that is active in this repository, or null. */
export const activeShip = async (repo: string): Promise<string | null> =>
  (await activeShipOf(repo))?.run_id ?? null
