import { reserveSpace } from '#ops/base/files/reserve-space'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { toProblem, type Problem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { ResultDocument, ResultFields, StepResult } from '#shared/result'
import { redact } from '#ops/base/redact/redaction'
import { writeDocument } from '#ops/base/redact/write-document'
import { resultFieldsOf } from './documents.ts'
import { GuardedEvents } from './guarded-events.ts'
import { maxLogBytes } from './run-log.ts'
import { StepRun, type StepSurroundings } from './step-run.ts'
import type { Step } from './step.ts'

export type { FactContext, Step, StepContext } from './step.ts'

export interface PipelineOptions<F, D extends ResultDocument> {
  readonly action: string
  readonly runId: string
  readonly attempt?: number
  readonly steps: readonly Step<F>[]
  /** What is known before the first step. */
  readonly facts: F
  /** Folder of the proof: the result document and one log per step. */
  readonly dir: string
  readonly resultFile: string
  /**
   * Folders, besides `dir`, that the steps and their programs write to: after a failure, each is probed for a full
   * disk.
   */
  readonly storage?: readonly string[]
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
  /** Adds to the fields that every document has, as the engine fills them, what its kind has on top. */
  readonly document: (base: ResultFields, facts: Readonly<F>) => D
  /** Most bytes of all step logs together; default: as many as the event log of one run keeps. */
  readonly maxLogBytes?: number
  /** Runs after the last step, whatever happened, before the document is written; its failure fails the run. */
  readonly finish?: (facts: Readonly<F>, problem: Problem | null) => Promise<void>
}

/**
 * The step engine of ship and deploy. Runs the steps in order and stops at the first that fails. The result document is
 * written whatever happens: a throw, a cancel, a time-out, a full disk. A PASS that cannot be written is a FAIL.
 *
 * @returns the document that was emitted; it never throws for a failing step
 * @throws {TypeError} when two steps have the same name
 */
export const runPipeline = <F, D extends ResultDocument>(
  options: PipelineOptions<F, D>,
): Promise<D> => new PipelineRun(options).run()

/** Bytes kept free for the result document on a disk that fills up during the run. */
const reserveBytes = 128 * 1024

const now = (): string => new Date().toISOString()

const notReached = (name: string): StepResult => ({
  name,
  status: 'not_reached',
  started_at: null,
  duration_ms: null,
  log: null,
  detail: null,
})

class PipelineRun<F, D extends ResultDocument> {
  readonly #options: PipelineOptions<F, D>
  readonly #startedAt = now()
  readonly #events: GuardedEvents
  /** In the order of the steps. */
  readonly #results: Map<string, StepResult>
  readonly #reserve: string
  #facts: F
  #problem: Problem | null = null
  #stepFailed: string | null = null

  constructor(options: PipelineOptions<F, D>) {
    this.#options = options
    this.#events = new GuardedEvents(options.emit)
    this.#facts = options.facts
    this.#reserve = join(options.dir, '.reserve')
    this.#results = new Map(options.steps.map(({ name }) => [name, notReached(name)]))
  }

  async run(): Promise<D> {
    if (this.#results.size !== this.#options.steps.length)
      throw new TypeError('two steps have the same name')
    this.#announce()
    if (this.#prepareFolder()) await this.#runSteps()
    await this.#finish()
    return this.#writeDocument()
  }

  #announce(): void {
    const { action, steps, attempt } = this.#options
    this.#events.emit({
      type: 'run_started',
      time: this.#startedAt,
      action,
      steps: steps.map(({ name }) => name),
      ...(attempt === undefined ? {} : { attempt }),
    })
  }

  /** @returns false when it cannot be written to: then no step runs */
  #prepareFolder(): boolean {
    const { dir, steps } = this.#options
    try {
      mkdirSync(dir, { recursive: true })
      reserveSpace(this.#reserve, reserveBytes)
      return true
    } catch (error) {
      this.#problem = toProblem(error)
      this.#stepFailed = steps[0]?.name ?? null
      return false
    }
  }

  async #runSteps(): Promise<void> {
    const { dir, storage = [], signal, steps, maxLogBytes: most = maxLogBytes } = this.#options
    const shared: StepSurroundings = {
      dir,
      storage,
      signal,
      events: this.#events,
      room: { left: most },
    }
    for (const step of steps) {
      const { result, facts, problem } = await new StepRun(step, this.#facts, shared).run()
      this.#results.set(step.name, result)
      this.#facts = facts
      if (problem) {
        this.#problem = problem
        this.#stepFailed = step.name
        return
      }
    }
  }

  async #finish(): Promise<void> {
    try {
      await this.#options.finish?.(this.#facts, this.#problem)
    } catch (error) {
      const failure = toProblem(error)
      this.#events.say(failure.message)
      this.#problem ??= failure
    }
  }

  #writeDocument(): D {
    const { dir, resultFile } = this.#options
    const problem = this.#problem ?? this.#events.broken
    let document = this.#build(problem)
    rmSync(this.#reserve, { force: true })
    try {
      writeDocument(join(dir, resultFile), document)
    } catch (error) {
      const failure = toProblem(error)
      this.#events.say(`${resultFile} could not be written: ${failure.message}`)
      document = this.#build(problem ?? failure)
    }
    this.#events.emit({ type: 'run_finished', time: now(), result: document })
    return document
  }

  #build(problem: Problem | null): D {
    const { runId, resultFile, document } = this.#options
    const steps = [...this.#results.values()]
    const logs = steps.flatMap(({ name, log }) => (log === null ? [] : [[`log_${name}`, log]]))
    const base = resultFieldsOf(
      {
        runId,
        startedAt: this.#startedAt,
        steps,
        artifacts: Object.fromEntries([[resultFile.replace(/\.json$/, ''), resultFile], ...logs]),
      },
      problem && { errorClass: problem.errorClass, step: this.#stepFailed },
    )
    return redact.json(document(base, this.#facts))
  }
}
