// Runs the gates once and writes the result document.
import { tmpdir } from 'node:os'
import type { EventBody } from '#shared/events'
import type { ResultFields, ShipResult } from '#shared/result'
import type { Problem } from '#shared/errors'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { repairedShipSteps, shipSteps } from './pipeline.ts'
import type { TakeLock } from './preflight/preflight-step.ts'
import { eventsFile, resultFile } from './state/proof-folder.ts'
import type { ShipFacts } from './state/ship-facts.ts'

/** How a run of steps speaks to its surroundings. */
export interface RunIO {
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
  /** Takes the ship lock for this commit, or gives back the one that is held. */
  readonly takeLock: TakeLock
}

export interface Attempt {
  readonly result: ShipResult
  /** What was known at the end, also after a failure. */
  readonly facts: ShipFacts
  /** Why it failed, with its evidence; null after a PASS. */
  readonly problem: Problem | null
}

/** @param attempt its number in an until-green run; writes into `facts.dir` */
export async function runAttempt(
  facts: ShipFacts,
  { emit, signal, takeLock }: RunIO,
  attempt?: number,
): Promise<Attempt> {
  let end: Omit<Attempt, 'result'> = { facts, problem: null }
  const result = await runPipeline<ShipFacts, ShipResult>({
    action: 'ship',
    runId: facts.runId,
    facts,
    dir: facts.dir,
    resultFile,
    storage: [tmpdir()],
    signal,
    emit,
    ...(attempt === undefined ? {} : { attempt }),
    steps: facts.candidate ? repairedShipSteps(takeLock) : shipSteps(takeLock),
    finish: async (known, problem) => {
      end = { facts: known, problem }
    },
    document: shipDocument,
  })
  return { result, ...end }
}

const shipDocument = (base: ResultFields, facts: ShipFacts): ShipResult => ({
  ...base,
  git_head: facts.head,
  git_tree: facts.tree,
  since_sha: facts.since,
  verdict_id: facts.verdict?.verdict_id ?? null,
  pushed_sha: facts.pushedSha,
  remote_sha: facts.remoteSha,
  scripted_review: facts.scripted,
  tests: facts.tests,
  ...(facts.reused ? { review_reused: facts.reused } : {}),
  artifacts: { ...base.artifacts, ...facts.artifacts, events: eventsFile },
})
