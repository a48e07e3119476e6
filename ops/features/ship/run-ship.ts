// Ships one commit, from the lock to the sealed proof.
import { join } from 'node:path'
import { realpathSync } from 'node:fs'
import type { EventBody } from '#shared/events'
import type { ShipResult } from '#shared/result'
import { Problem } from '#shared/errors'
import { hasCode } from '#shared/system-error'
import { setVariables, type Environment } from '#ops/base/env'
import { searchPathOutside } from '#ops/platform/git/repository-folders'
import { topLevel } from '#ops/platform/git/work-tree'
import { ofProgram } from '#ops/core/pipeline/events-out'
import { RunLog } from '#ops/core/pipeline/run-log'
import { runAttempt, type RunIO } from './ship-attempt.ts'
import { eventsFile, makeProofFolder } from './state/proof-folder.ts'
import { sealShip } from './state/seal-ship.ts'
import { initialFacts, type ShipFacts } from './state/ship-facts.ts'
import { takeShipLock, type ShipLock } from './state/ship-lock.ts'
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
  /** Reports what went wrong after the result was written. */
  readonly warn: (text: string) => void
}

/**
 * Ships one commit by the steps of `pipeline.ts`; with `repairs`, again and again on what the implementer makes of it.
 * Its proof is in `<repo>/artifacts/ship/<run_id>/` afterwards, whatever happened.
 *
 * @returns the result document
 * @throws {Problem} `not_a_repository`: then there is no folder for a document; `invalid_request`: the run id was used
 */
export async function runShip(options: ShipOptions): Promise<ShipResult> {
  const { runId, home, env, repairs, warn } = options
  const repo = realpathSync(await topLevel(options.repo))
  // For every program of this ship: `npx` and package scripts put the repository's own programs first.
  setVariables({ PATH: searchPathOutside(repo) })
  const dir = await makeProofFolder(repo, runId)
  const log = openLog(dir, runId)
  const lock = new HeldLock(repo, runId)
  const first = initialFacts({ runId, repo, home, dir, env })
  const io: RunIO = {
    signal: options.signal,
    emit: (event) => {
      // What a program printed was redacted as it came.
      log.append(event, { redacted: ofProgram(event) })
      options.emit(event)
    },
    takeLock: (commit) => lock.take(commit),
  }
  let last: ShipFacts = first
  try {
    const ended =
      repairs === 0 ? await runAttempt(first, io) : await shipUntilGreen(first, repairs, io)
    last = ended.facts
    return ended.result
  } finally {
    log.close()
    await sealShip({ ...last, dir }, warn)
    lock.release()
  }
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

/** The lock of the repository, taken by the first attempt and held to the end of the ship. */
class HeldLock {
  readonly #repo: string
  readonly #runId: string
  #lock: ShipLock | null = null

  constructor(repo: string, runId: string) {
    this.#repo = repo
    this.#runId = runId
  }

  /** @throws {Problem} `ship_lock_held` */
  async take(commit: string): Promise<ShipLock> {
    if (this.#lock) return { ...this.#lock, lost: null }
    this.#lock = await takeShipLock(this.#repo, this.#runId, commit)
    return this.#lock
  }

  release(): void {
    this.#lock?.release()
  }
}
