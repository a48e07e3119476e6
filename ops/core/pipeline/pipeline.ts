import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errorRule, Problem, toProblem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { ResultDocument, StepResult } from '#shared/result'
import { runCommand, type CommandOptions, type CommandResult } from '#ops/base/process/command'
import { redact } from '#ops/base/redact/redaction'
import { writeDocument } from '#ops/base/redact/write-document'
import { maxLogBytes } from './run-log.ts'
import { byStorage } from '#ops/base/files/storage'

export interface StepContext {
  /** Fires when the run is cancelled or the step's time is over. Every command and wait must take it. */
  readonly signal: AbortSignal
  /** Folder of this run's proof. */
  readonly dir: string
  /** One line in the run's log and the step's own, without what is secret. */
  readonly log: (text: string, stream?: 'stdout' | 'stderr' | 'hq') => void
  /** Runs a command, its lines logged. The time limit is the step's own unless a shorter one is given. */
  run(
    argv: readonly string[],
    options: Omit<CommandOptions, 'signal' | 'timeLimitSeconds' | 'onLine'> & {
      timeLimitSeconds?: number
      quiet?: boolean
      onLine?: CommandOptions['onLine']
    },
  ): Promise<CommandResult>
}

/** What a step gives back: new facts for the steps after it, and one sentence for the result. */
export interface StepOutcome<F> {
  readonly facts?: Partial<F>
  readonly detail?: string
}

export interface Step<F> {
  readonly name: string
  readonly timeLimitSeconds: number
  /** Why the step is not needed; undefined runs it. A skipped step is not a failure, so the reason must be a fact. */
  readonly skip?: (facts: Readonly<F>) => string | undefined
  readonly run: (facts: Readonly<F>, context: StepContext) => Promise<StepOutcome<F> | undefined>
}

/** The fields every document has, as the engine fills them; `document` adds what its kind has on top. */
export type BaseDocument = Pick<
  ResultDocument,
  | 'schema_version'
  | 'run_id'
  | 'overall'
  | 'step_failed'
  | 'error_class'
  | 'next_auto_fix'
  | 'started_at'
  | 'finished_at'
  | 'steps'
  | 'artifacts'
>

export interface PipelineOptions<F, D extends ResultDocument> {
  readonly action: string
  readonly runId: string
  readonly attempt?: number
  readonly steps: readonly Step<F>[]
  readonly facts: F
  /** Folder of the proof: the result document and one log per step. */
  readonly dir: string
  readonly resultFile: string
  /** Folders, besides `dir`, that the steps and what they start write to: a failure is looked for in them first. */
  readonly storage?: readonly string[]
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
  readonly document: (base: BaseDocument, facts: Readonly<F>) => D
  /** Most bytes of all step logs together; default: as many as one run keeps (design §4). */
  readonly maxLogBytes?: number
  /** Runs after the last step, whatever happened, before the document is written; its failure fails the run. */
  readonly finish?: (facts: Readonly<F>, problem: Problem | null) => Promise<void>
}

/** After a cancel or time-out a step gets this long to settle, in milliseconds. */
const settleMs = 15_000
const reserveBytes = 128 * 1024

const now = (): string => new Date().toISOString()

/**
 * The step engine of ship and deploy. Runs the steps in order and stops at the first that fails. The result document is
 * written whatever happens: a throw, a cancel, a time-out, a full disk. A PASS that cannot be written is a FAIL.
 *
 * @returns the document that was emitted; it never throws for a failing step
 */
export async function runPipeline<F, D extends ResultDocument>(
  options: PipelineOptions<F, D>,
): Promise<D> {
  const started_at = now()
  const results = new Map<string, StepResult>(
    options.steps.map(({ name }) => [
      name,
      { name, status: 'not_reached', started_at: null, duration_ms: null, log: null, detail: null },
    ]),
  )
  if (results.size !== options.steps.length) throw new TypeError('two steps have the same name')
  const events = guarded(options.emit)
  const room = { left: options.maxLogBytes ?? maxLogBytes }
  const { emit } = events
  emit({
    type: 'run_started',
    time: started_at,
    action: options.action,
    steps: options.steps.map(({ name }) => name),
    ...(options.attempt === undefined ? {} : { attempt: options.attempt }),
  })

  let facts = options.facts
  let problem: Problem | null = null
  let stepFailed: string | null = null
  const reserve = join(options.dir, '.reserve')
  try {
    mkdirSync(options.dir, { recursive: true })
    // Room for the result document on a disk that fills up during the run.
    fill(reserve)
  } catch (error) {
    problem = toProblem(error)
    stepFailed = options.steps[0]?.name ?? null
  }

  for (const step of problem ? [] : options.steps) {
    const outcome = await runStep(step, facts, options, events, room)
    results.set(step.name, outcome.result)
    facts = { ...facts, ...outcome.facts }
    if (outcome.problem) {
      problem = outcome.problem
      stepFailed = step.name
      break
    }
  }

  if (options.finish) {
    try {
      await options.finish(facts, problem)
    } catch (error) {
      const failure = toProblem(error)
      emit({
        type: 'log',
        time: now(),
        step: null,
        stream: 'hq',
        text: redact.text(failure.message),
      })
      problem ??= failure
    }
  }

  const build = (failure: Problem | null): D =>
    redact.json(
      options.document(
        {
          schema_version: 1,
          run_id: options.runId,
          overall: failure ? 'FAIL' : 'PASS',
          step_failed: failure ? stepFailed : null,
          error_class: failure?.errorClass ?? null,
          next_auto_fix: failure ? errorRule(failure.errorClass).next_auto_fix : null,
          started_at,
          finished_at: now(),
          steps: [...results.values()],
          artifacts: Object.fromEntries([
            [options.resultFile.replace(/\.json$/, ''), options.resultFile],
            ...[...results.values()].flatMap(({ name, log }) =>
              log === null ? [] : [[`log_${name}`, log]],
            ),
          ]) as Record<string, string>,
        },
        facts,
      ),
    )

  problem ??= events.broken
  let document = build(problem)
  rmSync(reserve, { force: true })
  try {
    writeDocument(join(options.dir, options.resultFile), document)
  } catch (error) {
    const failure = toProblem(error)
    emit({
      type: 'log',
      time: now(),
      step: null,
      stream: 'hq',
      text: redact.text(`${options.resultFile} could not be written: ${failure.message}`),
    })
    document = build(problem ?? failure)
  }
  emit({ type: 'run_finished', time: now(), result: document })
  return document
}

interface GuardedEvents {
  readonly emit: (event: EventBody) => void
  broken: Problem | null
}

/** An event that cannot be delivered must not keep the result from being written; it fails the run instead. */
function guarded(emit: (event: EventBody) => void): GuardedEvents {
  const events: GuardedEvents = {
    broken: null,
    emit: (event) => {
      try {
        emit(event)
      } catch (error) {
        events.broken ??= toProblem(error)
      }
    },
  }
  return events
}

interface StepEnd<F> {
  result: StepResult
  facts: Partial<F>
  problem: Problem | null
}

async function runStep<F, D extends ResultDocument>(
  step: Step<F>,
  facts: F,
  options: PipelineOptions<F, D>,
  events: GuardedEvents,
  room: { left: number },
): Promise<StepEnd<F>> {
  const { emit } = events
  const started_at = now()
  const clock = performance.now()
  const logName = `${step.name}.log`
  const abort = new AbortController()
  let failure: Problem | null = null
  const stop = (cause: Problem): void => {
    failure ??= cause
    abort.abort(cause)
  }
  const onCancel = (): void => stop(new Problem('cancelled', 'The run was cancelled.'))
  if (options.signal.aborted) onCancel()
  options.signal.addEventListener('abort', onCancel, { once: true })
  const timer = setTimeout(
    () =>
      stop(
        new Problem(
          'step_timeout',
          `${step.name} took longer than its limit of ${step.timeLimitSeconds} s.`,
        ),
      ),
    step.timeLimitSeconds * 1000,
  )

  let logFile: number | null = null
  /** @param text without what is secret */
  const write = (text: string, stream: 'stdout' | 'stderr' | 'hq'): void => {
    emit({ type: 'log', time: now(), step: step.name, stream, text })
    if (events.broken) stop(events.broken)
    // What a program says without end is cut; what HQ itself says is little, and why a step failed is part of it.
    if (logFile === null || (room.left < 0 && stream !== 'hq')) return
    try {
      const bytes = Buffer.byteLength(text) + 1
      const cut = room.left >= 0 && bytes > room.left && stream !== 'hq'
      room.left -= bytes
      const line = Buffer.from(
        cut ? '(The log is cut here: it is as long as the logs of one run may be.)\n' : `${text}\n`,
      )
      for (let done = 0; done < line.length;) done += writeSync(logFile, line, done)
    } catch (error) {
      stop(toProblem(error)) // evidence that cannot be kept is no evidence
    }
  }
  const redactLine = redact.lines()
  const log: StepContext['log'] = (text, stream = 'hq') => write(redactLine(text), stream)
  const context: StepContext = {
    signal: abort.signal,
    dir: options.dir,
    log,
    run: (argv, { timeLimitSeconds, quiet, onLine, ...rest }) =>
      runCommand(argv, {
        ...rest,
        signal: abort.signal,
        timeLimitSeconds: timeLimitSeconds ?? step.timeLimitSeconds,
        // Its bytes were redacted before they were lines.
        onLine: (text, stream) => {
          if (!quiet) write(text, stream)
          onLine?.(text, stream)
        },
      }),
  }
  const end = (
    status: 'passed' | 'skipped' | 'failed' | 'cancelled',
    said: string | null,
    problem: Problem | null,
    newFacts: Partial<F> = {},
  ): StepEnd<F> => {
    const duration_ms = Math.round(performance.now() - clock)
    const detail = said === null ? null : redact.text(said)
    emit({
      type: 'step_finished',
      time: now(),
      step: step.name,
      status,
      duration_ms,
      detail,
      error_class: problem?.errorClass ?? null,
    })
    return {
      result: {
        name: step.name,
        status,
        started_at,
        duration_ms,
        log: status === 'skipped' ? null : logName,
        detail,
      },
      facts: newFacts,
      problem,
    }
  }

  try {
    abort.signal.throwIfAborted()
    const reason = step.skip?.(facts)
    if (reason !== undefined) return end('skipped', reason, null)
    emit({ type: 'step_started', time: started_at, step: step.name })
    logFile = openSync(join(options.dir, logName), 'a', 0o644)
    const work = step.run(facts, context)
    const outcome = await Promise.race([work, overdue(abort.signal)])
    if (events.broken) stop(events.broken)
    if (failure) throw failure as Problem
    const { facts: newFacts = {}, detail = null } = outcome ?? {}
    return end('passed', detail, null, newFacts)
  } catch (error) {
    // Why the step was stopped counts more than what it threw on the way out.
    const problem: Problem = byStorage(failure ?? toProblem(error), [
      options.dir,
      ...(options.storage ?? []),
    ])
    for (const line of problem.evidence) log(line)
    log(`${problem.errorClass}: ${problem.message}`)
    if (
      problem.errorClass === 'internal_error' &&
      problem.cause instanceof Error &&
      problem.cause.stack
    )
      log(problem.cause.stack)
    return end(
      problem.errorClass === 'cancelled' ? 'cancelled' : 'failed',
      problem.message,
      problem,
    )
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', onCancel)
    if (logFile !== null) closeSync(logFile)
    logFile = null
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

function fill(path: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    const zeros = Buffer.alloc(reserveBytes)
    for (let done = 0; done < zeros.length;) done += writeSync(file, zeros, done)
  } finally {
    closeSync(file)
  }
}
