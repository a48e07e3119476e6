import { tmpdir } from 'node:os'
import type { EventBody } from '#shared/events'
import type { ShipResult } from '#shared/result'
import type { Problem } from '#shared/errors'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { checkStep } from './push/check-step.ts'
import { fastForwardStep } from './push/fast-forward-step.ts'
import { finishStep } from './push/finish-step.ts'
import { preflightStep } from './preflight/preflight-step.ts'
import { reviewStep } from './review/review-step.ts'
import type { ShipLock } from './state/ship-lock.ts'
import type { Ship } from './state/ship-state.ts'
import { testsStep } from './tests/tests-step.ts'

export const resultFile = 'ship_result.json'
export const eventsFile = 'events.ndjson'

export interface Hands {
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
  /** Takes the ship lock for this commit, or gives back the one that is held. */
  readonly takeLock: (commit: string) => Promise<ShipLock>
}

export interface Attempt {
  readonly result: ShipResult
  /** Why it failed, with its evidence; null after a PASS. */ readonly problem: Problem | null
}

/** Runs the gates once, into `ship.dir`. A commit that HQ made of a repair has one step more: the operator's branch moves to it. */
export async function runAttempt(
  ship: Ship,
  { emit, signal, takeLock }: Hands,
  attempt?: number,
): Promise<Attempt> {
  let problem: Problem | null = null
  const result = await runPipeline<object, ShipResult>({
    action: 'ship',
    runId: ship.runId,
    facts: {},
    dir: ship.dir,
    resultFile,
    storage: [tmpdir()],
    signal,
    emit,
    ...(attempt === undefined ? {} : { attempt }),
    steps: [
      preflightStep(ship, takeLock),
      testsStep(ship),
      reviewStep(ship),
      ...(ship.candidate ? [fastForwardStep(ship)] : []),
      checkStep(ship),
      finishStep(ship),
    ],
    finish: async (_facts, failure) => {
      problem = failure
    },
    document: (base) => ({
      ...base,
      git_head: ship.head,
      git_tree: ship.tree,
      since_sha: ship.since,
      verdict_id: ship.verdict?.verdict_id ?? null,
      pushed_sha: ship.pushedSha,
      remote_sha: ship.remoteSha,
      scripted_review: ship.scripted,
      tests: ship.tests,
      ...(ship.reused ? { review_reused: ship.reused } : {}),
      artifacts: { ...base.artifacts, ...ship.artifacts, events: eventsFile },
    }),
  })
  return { result, problem }
}
