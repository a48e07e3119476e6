import { hasCode } from '#shared/system-error'
import type { Environment } from '#ops/base/env'
import { join } from 'node:path'
import { realpathSync } from 'node:fs'
import type { EventBody } from '#shared/events'
import type { ShipResult } from '#shared/result'
import { Problem } from '#shared/errors'
import { topLevel } from '#ops/platform/git/work-tree'
import { RunLog } from '#ops/core/pipeline/run-log'
import { makeProofFolder } from './state/proof-folder.ts'
import { sealShip } from './state/seal-ship.ts'
import { eventsFile, runAttempt, type Hands } from './ship-attempt.ts'
import { takeShipLock, type ShipLock } from './state/ship-lock.ts'
import { newShip } from './state/ship-state.ts'
import { shipUntilGreen } from './until-green.ts'

export interface ShipOptions {
  /** Any folder of the working tree. */
  readonly repo: string
  readonly runId: string
  /** Folder of the operator's settings. */
  readonly home: string
  readonly env: Environment
  /** Most repairs of failing tests or a refused review; 0: none. */
  readonly repairs: number
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
  /** Says what went wrong after the result was written. */
  readonly warn: (text: string) => void
}

/** @throws {Problem} `invalid_request` when a run of this id was here before */
function openLog(dir: string, runId: string): RunLog {
  try {
    return new RunLog(join(dir, eventsFile))
  } catch (error) {
    if (hasCode(error, 'EEXIST'))
      throw new Problem(
        'invalid_request',
        `The run id ${runId} was used before in this repository. Nothing was started.`,
        { cause: error },
      )
    throw error
  }
}

/**
 * Ships one commit: `preflight → tests → review_auto → check_fail_closed_push → review_finish` (design §6); with
 * `repairs`, again and again on what the implementer makes of it. Everything it found lies in
 * `<repo>/artifacts/ship/<run_id>/` afterwards, whatever happened.
 *
 * @returns the result document
 * @throws {Problem} `not_a_repository`: then there is no place for a document
 */
export async function runShip({
  repo: folder,
  runId,
  home,
  env,
  repairs,
  emit,
  signal,
  warn,
}: ShipOptions): Promise<ShipResult> {
  const repo = realpathSync(await topLevel(folder))
  const dir = await makeProofFolder(repo, runId)
  const log = openLog(dir, runId)
  const first = newShip({ runId, repo, home, dir, env })
  let last = first
  let lock: ShipLock | null = null
  const hands: Hands = {
    signal,
    emit: (event) => {
      log.append(event)
      emit(event)
    },
    takeLock: async (commit) => {
      if (lock) return { ...lock, lost: null }
      lock = await takeShipLock(repo, runId, commit)
      return lock
    },
  }
  try {
    if (repairs === 0) return (await runAttempt(first, hands)).result
    return await shipUntilGreen(first, repairs, hands, (ship) => {
      last = ship
    })
  } finally {
    log.close()
    await sealShip({ ...last, dir }, warn)
    const taken = lock as ShipLock | null
    taken?.release()
  }
}
