// `hq ship --until-green`: the gates, and while tests fail or the reviewer refuses, a repair and the same gates again.
import { join } from 'node:path'
import type { OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import type { Repair, ResultDocument, ShipResult } from '#shared/result'
import { plural } from '#shared/plural'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { failureOf, fingerprintOf } from './repair/failure-evidence.ts'
import { repairOnce } from './repair-once.ts'
import { runAttempt, type Attempt, type RunIO } from './ship-attempt.ts'
import { initialFacts, type ShipFacts } from './state/ship-facts.ts'
import { closeUntilGreen } from './until-green-proof.ts'

/**
 * The operator's settings choose the implementer. Each repair is one commit of HQ, on which the gates run again. It
 * stops at the bound, at a failure that occurred before, at a repair without a change, and at every other class. The
 * operator's branch moves once, by fast-forward, to what has passed tests and review.
 *
 * @param first facts of the ship of HEAD; its folder is the proof's
 * @param bound most repairs
 * @returns the result of the last attempt with all that led to it, which is also the last event
 */
export const shipUntilGreen = (
  first: ShipFacts,
  bound: number,
  io: RunIO,
): Promise<UntilGreenEnd> => new UntilGreenRun(first, bound, io).run()

export interface UntilGreenEnd {
  readonly result: ShipResult
  /** Of the last attempt. */
  readonly facts: ShipFacts
}

class UntilGreenRun {
  readonly #first: ShipFacts
  readonly #bound: number
  readonly #io: RunIO
  /** HQ shows one ship: an attempt that has ended is not the end of it. */
  readonly #attemptIO: RunIO
  readonly #settings: OperatorSettings | null
  readonly #tried: Attempt[] = []
  readonly #repairs: Repair[] = []
  readonly #seen = new Set<string>()
  #artifacts: Record<string, string> = {}

  constructor(first: ShipFacts, bound: number, io: RunIO) {
    this.#first = first
    this.#bound = bound
    this.#io = io
    this.#attemptIO = {
      ...io,
      emit: (event) => {
        if (event.type !== 'run_finished') io.emit(event)
      },
    }
    this.#settings = settingsBefore(first.home)
  }

  async run(): Promise<UntilGreenEnd> {
    let facts: ShipFacts = { ...this.#first, dir: this.#folderOf(1) }
    for (;;) {
      const number = this.#tried.length + 1
      const attempt = await runAttempt(facts, this.#attemptIO, number)
      this.#tried.push(attempt)
      const stopped = this.#stopAfter(attempt)
      if (stopped !== null) return this.#end(stopped, attempt)
      const document = await this.#repair(attempt)
      const commit = this.#repairs.at(-1)?.commit ?? null
      if (commit === null)
        return this.#end(
          `repair ${this.#repairs.length} made no commit: ${document.error_class ?? 'no commit'}`,
          attempt,
          document,
        )
      facts = this.#next(attempt, commit)
    }
  }

  /** Why no repair follows this attempt; null: one does. */
  #stopAfter({ facts, result, problem }: Attempt): string | null {
    const made = this.#repairs.length
    if (problem === null)
      return made === 0 ? 'passed without a repair' : `passed after ${plural(made, 'repair')}`
    const failure = failureOf(facts.dir, result, problem)
    if (failure === null || facts.frozen === null || this.#settings === null)
      return `${problem.errorClass} is not repaired`
    const fingerprint = fingerprintOf(failure)
    if (this.#seen.has(fingerprint)) return 'the same failure again'
    this.#seen.add(fingerprint)
    return made >= this.#bound ? `repair ${made} of ${this.#bound} was the last` : null
  }

  /** @returns the document of the repair */
  async #repair({ facts, result, problem }: Attempt): Promise<ResultDocument> {
    const failure = problem && failureOf(facts.dir, result, problem)
    if (!failure || !facts.frozen || !this.#settings) throw new TypeError('nothing to repair')
    const { document, repair, artifacts } = await repairOnce(
      {
        runId: facts.runId,
        repo: facts.repo,
        env: facts.env,
        number: this.#repairs.length + 1,
        frozen: facts.frozen,
        failure,
        settings: this.#settings,
      },
      this.#first.dir,
      this.#attemptIO,
    )
    this.#repairs.push(repair)
    this.#artifacts = { ...this.#artifacts, ...artifacts }
    return document
  }

  /** Facts of the next attempt, on what the repair made. */
  #next({ facts }: Attempt, commit: string): ShipFacts {
    const { runId, repo, home, env } = this.#first
    const start = this.#tried[0]?.facts ?? facts
    return initialFacts({
      runId,
      repo,
      home,
      env,
      dir: this.#folderOf(this.#tried.length + 1),
      key: facts.key,
      candidate: { commit, start: start.head ?? commit },
      pinned: start.frozen,
    })
  }

  #folderOf(attempt: number): string {
    return join(this.#first.dir, 'attempts', String(attempt))
  }

  async #end(
    stopped: string,
    { facts }: Attempt,
    failed: ResultDocument | null = null,
  ): Promise<UntilGreenEnd> {
    const time = new Date().toISOString()
    this.#io.emit({ type: 'log', time, step: null, stream: 'hq', text: `until green: ${stopped}` })
    const course = {
      root: this.#first.dir,
      bound: this.#bound,
      tried: this.#tried,
      repairs: this.#repairs,
      artifacts: this.#artifacts,
      stopped,
      failed,
    }
    return { result: await closeUntilGreen(course, this.#io.emit), facts }
  }
}

/** As they are before a test of the change runs. Settings that cannot be read end the first attempt, which says why. */
function settingsBefore(home: string): OperatorSettings | null {
  try {
    return readOperatorSettings(home)
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}
