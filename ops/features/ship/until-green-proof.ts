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
import { resultFile } from './ship-attempt.ts'
import type { Ship } from './state/ship-state.ts'

/** One run of the gates. */
export interface Tried {
  readonly ship: Ship
  readonly result: ShipResult
}

interface Course {
  /** Folder of the whole proof. */
  readonly root: string
  readonly bound: number
  /** At least one. */
  readonly tried: readonly Tried[]
  readonly repairs: readonly Repair[]
  readonly artifacts: Readonly<Record<string, string>>
  readonly stopped: string
  /** The repair that came to nothing, when that ended it. */
  readonly failed: ResultDocument | null
}

async function courseOf(
  { bound, tried, repairs, stopped }: Course,
  { ship, result: last }: Tried,
): Promise<UntilGreen> {
  const { repo, runId, frozen, candidate, forwarded } = ship
  const start = tried[0]?.result.git_head ?? null
  const head = repairs.findLast(({ commit }) => commit !== null)?.commit ?? null
  const globs = (frozen ?? ship.pinned)?.gates.protectedPaths ?? []
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
      start !== null && head !== null ? await protectedChanges(repo, start, head, globs, {}) : [],
    kept_ref:
      candidate !== null && !forwarded && (await readRef(repo, repairRef(runId))) !== null
        ? repairRef(runId)
        : null,
  }
}

/** The last attempt's own files become the proof's; those of the attempts before stay in their folders. */
function raise(root: string, dir: string): void {
  for (const name of readdirSync(dir))
    if (name !== resultFile) renameSync(join(dir, name), join(root, name))
  rmSync(dir, { recursive: true, force: true })
}

/** Gathers the proof and writes the result last; a PASS that cannot be recorded is a FAIL. @returns what was emitted as the end */
export async function closeUntilGreen(
  course: Course,
  emit: (event: EventBody) => void,
): Promise<ShipResult> {
  const { root, tried, artifacts, failed } = course
  const last = tried.at(-1)
  if (last === undefined) throw new TypeError('nothing was tried')
  const earlier = Object.fromEntries(
    tried
      .slice(0, -1)
      .map((_, index) => [`attempt_${index + 1}_result`, `attempts/${index + 1}/${resultFile}`]),
  )
  let document: ShipResult = {
    ...last.result,
    started_at: tried[0]?.result.started_at ?? last.result.started_at,
    finished_at: new Date().toISOString(),
    // A repair that came to nothing is the last thing that happened; the attempt before it says why it was needed.
    steps: [
      ...last.result.steps,
      ...(failed?.steps ?? []).map((step) => ({
        ...step,
        log: step.log === null ? null : `repairs/${course.repairs.length}/${step.log}`,
      })),
    ],
    artifacts: { ...last.result.artifacts, ...earlier, ...artifacts },
  }
  if (failed?.error_class === 'cancelled')
    document = asFailed(document, { errorClass: 'cancelled', step: 'repair' })
  try {
    document = { ...document, until_green: await courseOf(course, last) }
    raise(root, last.ship.dir)
    writeDocument(join(root, resultFile), document)
  } catch (error) {
    const problem = toProblem(error)
    emit({
      type: 'log',
      time: new Date().toISOString(),
      step: null,
      stream: 'hq',
      text: `The proof could not be gathered: ${problem.message}`,
    })
    if (document.overall === 'PASS') document = asFailed(document, problem)
  }
  emit({ type: 'run_finished', time: new Date().toISOString(), result: document })
  return document
}
