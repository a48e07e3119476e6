// Gathers the proof of an until-green run and writes its result last.
import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { toProblem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { Repair, ResultDocument, ShipResult, UntilGreen } from '#shared/result'
import { readRef } from '#ops/platform/git/refs'
import { asFailed } from '#ops/core/pipeline/documents'
import { writeDocument } from '#ops/base/redact/write-document'
import { protectedChanges } from './state/protected-paths.ts'
import { repairRef } from './repair/repair-step.ts'
import type { Attempt } from './ship-attempt.ts'
import { resultFile } from './state/proof-folder.ts'

export interface Course {
  /** Folder of the whole proof. */
  readonly root: string
  readonly bound: number
  /** At least one. */
  readonly tried: readonly Attempt[]
  readonly repairs: readonly Repair[]
  readonly artifacts: Readonly<Record<string, string>>
  readonly stopped: string
  /** The repair that made nothing, when that ended the run. */
  readonly failed: ResultDocument | null
}

/**
 * A PASS that cannot be recorded is a FAIL.
 * @returns what was emitted as the end
 */
export async function closeUntilGreen(
  course: Course,
  emit: (event: EventBody) => void,
): Promise<ShipResult> {
  const last = course.tried.at(-1)
  if (last === undefined) throw new TypeError('nothing was tried')
  let document = wholeDocument(course, last)
  try {
    document = { ...document, until_green: await courseOf(course, last) }
    raise(course.root, last.facts.dir)
    writeDocument(join(course.root, resultFile), document)
  } catch (error) {
    const problem = toProblem(error)
    const time = new Date().toISOString()
    const text = `The proof could not be gathered: ${problem.message}`
    emit({ type: 'log', time, step: null, stream: 'hq', text })
    if (document.overall === 'PASS') document = asFailed(document, problem)
  }
  emit({ type: 'run_finished', time: new Date().toISOString(), result: document })
  return document
}

/** The result of the last attempt, with the steps and artifacts of all that led to it. */
function wholeDocument(
  { tried, repairs, artifacts, failed }: Course,
  { result }: Attempt,
): ShipResult {
  const earlier = Object.fromEntries(
    tried
      .slice(0, -1)
      .map((_, index) => [`attempt_${index + 1}_result`, `attempts/${index + 1}/${resultFile}`]),
  )
  // A repair that made nothing is the last thing that happened; the attempt before it says why it was made.
  const repairSteps = (failed?.steps ?? []).map((step) => ({
    ...step,
    log: step.log === null ? null : `repairs/${repairs.length}/${step.log}`,
  }))
  const document: ShipResult = {
    ...result,
    started_at: tried[0]?.result.started_at ?? result.started_at,
    finished_at: new Date().toISOString(),
    steps: [...result.steps, ...repairSteps],
    artifacts: { ...result.artifacts, ...earlier, ...artifacts },
  }
  return failed?.error_class === 'cancelled'
    ? asFailed(document, { errorClass: 'cancelled', step: 'repair' })
    : document
}

async function courseOf(
  { bound, tried, repairs, stopped }: Course,
  { facts, result: last }: Attempt,
): Promise<UntilGreen> {
  const { repo, runId, candidate, forwarded } = facts
  const start = tried[0]?.result.git_head ?? null
  const head = repairs.findLast(({ commit }) => commit !== null)?.commit ?? null
  const globs = (facts.frozen ?? facts.pinned)?.gates.protectedPaths ?? []
  const isKept =
    candidate !== null && !forwarded && (await readRef(repo, repairRef(runId))) !== null
  return {
    bound,
    start_sha: start,
    stopped,
    repairs: [...repairs],
    attempts: tried.map(({ result }, index) => ({
      number: index + 1,
      folder: result === last ? '' : `attempts/${index + 1}`,
      git_head: result.git_head,
      overall: result.overall,
      step_failed: result.step_failed,
      error_class: result.error_class,
      detail: result.steps.find(({ name }) => name === result.step_failed)?.detail ?? null,
    })),
    protected_changes:
      start !== null && head !== null
        ? await protectedChanges({ repo, base: start, head }, globs, {})
        : [],
    kept_ref: isKept ? repairRef(runId) : null,
  }
}

/** Moves the last attempt's files to the proof itself; those of earlier attempts stay in their folders. */
function raise(root: string, dir: string): void {
  for (const name of readdirSync(dir))
    if (name !== resultFile) renameSync(join(dir, name), join(root, name))
  rmSync(dir, { recursive: true, force: true })
}
