import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem, toProblem } from '#shared/errors'
import type { StepResult } from '#shared/result'
import { byStorage } from '#ops/base/files/storage'
import { runCommand } from '#ops/base/process/command'
import { redact } from '#ops/base/redact/redaction'
import type { GuardedEvents } from './guarded-events.ts'
import { StepLog, type LogRoom } from './step-log.ts'
import type { FactContext, LogStream, Step, StepOutcome } from './step.ts'

/** What all steps of one run share. */
export interface StepSurroundings {
  /** Folder of the proof, with one log per step. */
  readonly dir: string
  /** Folders, besides `dir`, that the steps write to. */
  readonly storage: readonly string[]
  /** Fires when the run is cancelled. */
  readonly signal: AbortSignal
  readonly events: GuardedEvents
  readonly room: LogRoom
}

/** How a step ended. */
export interface StepEnd<F> {
  readonly result: StepResult
  /** All that is known after it. */
  readonly facts: F
  readonly problem: Problem | null
}

/** After a cancel or time-out a step gets this long to end by itself, in milliseconds. */
const settleMs = 15_000

/** One run of one step: its limits, its log, the facts it adds, and its end. */
export class StepRun<F> {
  readonly #step: Step<F>
  readonly #run: StepSurroundings
  readonly #startedAt = new Date().toISOString()
  readonly #clock = performance.now()
  readonly #abort = new AbortController()
  readonly #redactLine = redact.lines()
  #time = { now: 0, text: '' }
  #facts: F
  #stopped: Problem | null = null
  #log: StepLog | null = null
  #ended = false
  #commit: string | null = null

  constructor(step: Step<F>, facts: F, run: StepSurroundings) {
    this.#step = step
    this.#facts = facts
    this.#run = run
  }

  /** Runs the step to its end. It never throws: a failure is in the answer. */
  async run(): Promise<StepEnd<F>> {
    const { signal } = this.#run
    const onCancel = (): void => this.#stop(new Problem('cancelled', 'The run was cancelled.'))
    if (signal.aborted) onCancel()
    signal.addEventListener('abort', onCancel, { once: true })
    const timer = setTimeout(() => this.#stop(this.#tooSlow()), this.#step.timeLimitSeconds * 1000)
    try {
      this.#abort.signal.throwIfAborted()
      const reason = this.#step.skip?.(this.#facts)
      if (reason !== undefined) return this.#end('skipped', reason, null)
      const { facts, detail = null, commit = null } = await this.#work()
      this.#commit = commit
      if (facts !== undefined) this.#note(facts)
      return this.#end('passed', detail, null)
    } catch (error) {
      return this.#fail(error)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onCancel)
      this.#ended = true
      this.#log?.close()
      this.#log = null
    }
  }

  async #work(): Promise<StepOutcome<F>> {
    const { name } = this.#step
    this.#run.events.emit({ type: 'step_started', time: this.#startedAt, step: name })
    this.#log = new StepLog(join(this.#run.dir, this.#logName), this.#run.room, (error) =>
      this.#stop(toProblem(error)),
    )
    const outcome = await Promise.race([
      this.#step.run(this.#facts, this.#context()),
      overdue(this.#abort.signal),
    ])
    this.#stopWhenEventsAreLost()
    if (this.#stopped) throw this.#stopped
    return outcome ?? {}
  }

  #context(): FactContext<F> {
    const { signal } = this.#abort
    return {
      signal,
      dir: this.#run.dir,
      note: (facts) => this.#note(facts),
      log: (text, stream = 'hq') => this.#write(this.#redactLine(text), stream),
      run: (argv, { timeLimitSeconds, quiet, onLine, follows, ...rest }) =>
        runCommand(argv, {
          ...rest,
          signal,
          timeLimitSeconds: timeLimitSeconds ?? this.#step.timeLimitSeconds,
          // A log without room would drop each line: then nobody cuts the output into lines either.
          follows: () => this.#run.room.left >= 0 || (follows?.() ?? onLine !== undefined),
          // Its bytes were redacted before they were lines.
          onLine: (text, stream) => {
            if (!quiet) this.#write(text, stream)
            onLine?.(text, stream)
          },
        }),
    }
  }

  /** A step that ignores its signal may still run after its end; what it then finds is not part of the run. */
  #note(facts: Partial<F>): void {
    if (!this.#ended) this.#facts = { ...this.#facts, ...facts }
  }

  /** @param text without what is secret */
  #write(text: string, stream: LogStream): void {
    let kept: string | null = text
    try {
      if (this.#log !== null) kept = this.#log.write(text, stream)
    } catch (error) {
      this.#stop(toProblem(error)) // what cannot be kept does not count as evidence
    }
    if (kept === null) return
    const step = this.#step.name
    this.#run.events.emit({ type: 'log', time: this.#clockText(), step, stream, text: kept })
    this.#stopWhenEventsAreLost()
  }

  /** Thousands of lines share a millisecond: its text is made once. */
  #clockText(): string {
    const now = Date.now()
    if (now !== this.#time.now) this.#time = { now, text: new Date(now).toISOString() }
    return this.#time.text
  }

  #stop(cause: Problem): void {
    this.#stopped ??= cause
    this.#abort.abort(cause)
  }

  #stopWhenEventsAreLost(): void {
    if (this.#run.events.broken) this.#stop(this.#run.events.broken)
  }

  #fail(error: unknown): StepEnd<F> {
    const { dir, storage } = this.#run
    // Why the step was stopped counts more than what it threw on the way out.
    const problem = byStorage(this.#stopped ?? toProblem(error), [dir, ...storage])
    const { errorClass, message, evidence, cause } = problem
    const lines = [...evidence, `${errorClass}: ${message}`]
    if (errorClass === 'internal_error' && cause instanceof Error && cause.stack)
      lines.push(cause.stack)
    for (const line of lines) this.#write(this.#redactLine(line), 'hq')
    return this.#end(errorClass === 'cancelled' ? 'cancelled' : 'failed', message, problem)
  }

  #end(
    status: 'passed' | 'skipped' | 'failed' | 'cancelled',
    text: string | null,
    problem: Problem | null,
  ): StepEnd<F> {
    const duration_ms = Math.round(performance.now() - this.#clock)
    const detail = text === null ? null : redact.text(text)
    this.#run.events.emit({
      type: 'step_finished',
      time: new Date().toISOString(),
      step: this.#step.name,
      status,
      duration_ms,
      detail,
      error_class: problem?.errorClass ?? null,
      ...(this.#commit === null ? {} : { git_head: this.#commit }),
    })
    const result: StepResult = {
      name: this.#step.name,
      status,
      started_at: this.#startedAt,
      duration_ms,
      log: status === 'skipped' ? null : this.#logName,
      detail,
    }
    return { result, facts: this.#facts, problem }
  }

  get #logName(): string {
    return `${this.#step.name}.log`
  }

  #tooSlow(): Problem {
    const { name, timeLimitSeconds } = this.#step
    return new Problem(
      'step_timeout',
      `${name} took longer than its limit of ${timeLimitSeconds} s.`,
    )
  }
}

/** Rejects some time after `signal`, so that a step which ignores it cannot hold the run. */
async function overdue(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  await delay(settleMs, undefined, { ref: false })
  throw signal.reason
}
