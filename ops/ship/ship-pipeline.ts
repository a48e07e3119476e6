import { join } from 'node:path'
import { realpathSync } from 'node:fs'
import type { EventBody } from '#shared/events'
import type { ShipResult } from '#shared/result'
import { Problem } from '#shared/errors'
import { topLevel } from '../git/work-tree.ts'
import { runPipeline } from '../pipeline.ts'
import { RunLog } from '../run-log.ts'
import { checkStep } from './check-step.ts'
import { finishStep } from './finish-step.ts'
import { preflightStep } from './preflight-step.ts'
import { makeProofFolder } from './proof-folder.ts'
import { reviewStep } from './review-step.ts'
import { sealShip } from './seal-ship.ts'
import type { ShipLock } from './ship-lock.ts'
import type { Ship } from './ship-state.ts'
import { testsStep } from './tests-step.ts'

export interface ShipOptions {
  /** Any folder of the working tree. */
  readonly repo: string
  readonly runId: string
  /** Folder of the operator's settings. */
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
  /** Says what went wrong after the result was written. */
  readonly warn: (text: string) => void
}

const eventsFile = 'events.ndjson'

/** @throws {Problem} `invalid_request` when a run of this id was here before */
function openLog(dir: string, runId: string): RunLog {
  try {
    return new RunLog(join(dir, eventsFile))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw new Problem('invalid_request', `The run id ${runId} was used before in this repository. Nothing was started.`, { cause: error })
    throw error
  }
}

/**
 * Ships one commit: `preflight → tests → review_auto → check_fail_closed_push → review_finish` (design §6). Everything
 * it found lies in `<repo>/artifacts/ship/<run_id>/` afterwards, whatever happened.
 *
 * @returns the result document
 * @throws {Problem} `not_a_repository`: then there is no place for a document
 */
export async function runShip({ repo: folder, runId, home, env, emit, signal, warn }: ShipOptions): Promise<ShipResult> {
  const repo = realpathSync(await topLevel(folder))
  const dir = await makeProofFolder(repo, runId)
  const log = openLog(dir, runId)
  const ship: Ship = {
    runId, repo, home, dir, env, head: null, tree: null, since: null, frozen: null, tests: [], verdict: null, key: null, scripted: false, pushedSha: null, remoteSha: null, artifacts: {},
  }
  let lock: ShipLock | null = null
  try {
    return await runPipeline<object, ShipResult>({
      action: 'ship', runId, facts: {}, dir, resultFile: 'ship_result.json', signal,
      steps: [preflightStep(ship, (taken) => { lock = taken }), testsStep(ship), reviewStep(ship), checkStep(ship), finishStep(ship)],
      emit: (event) => {
        log.append(event)
        emit(event)
      },
      document: (base) => ({
        ...base, git_head: ship.head, git_tree: ship.tree, since_sha: ship.since, verdict_id: ship.verdict?.verdict_id ?? null,
        pushed_sha: ship.pushedSha, remote_sha: ship.remoteSha, scripted_review: ship.scripted, tests: ship.tests,
        artifacts: { ...base.artifacts, ...ship.artifacts, events: eventsFile },
      }),
    })
  } finally {
    log.close()
    await sealShip(ship, warn)
    const taken = lock as ShipLock | null
    taken?.release()
  }
}
