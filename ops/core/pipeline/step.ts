import type { CommandOptions, CommandResult } from '#ops/base/process/command'

/** Who wrote a log line: a program's standard output or error, or HQ itself. */
export type LogStream = 'stdout' | 'stderr' | 'hq'

export interface StepContext {
  /** Fires when the run is cancelled or the step's time is over. Every command and wait must take it. */
  readonly signal: AbortSignal
  /** Folder of this run's proof. */
  readonly dir: string
  /** Writes one line to the run's log and the step's own, without what is secret. */
  readonly log: (text: string, stream?: LogStream) => void
  /**
   * Runs a command, its lines logged. The time limit is the step's own unless a shorter one is given, in seconds. Once
   * the logs are full, `follows` says whether `onLine` still wants its lines: false leaves out all but the last ones.
   */
  run(
    argv: readonly string[],
    options: Omit<CommandOptions, 'signal' | 'timeLimitSeconds' | 'onLine'> & {
      timeLimitSeconds?: number
      quiet?: boolean
      onLine?: CommandOptions['onLine']
    },
  ): Promise<CommandResult>
}

/** What the engine gives a step that adds facts. */
export interface FactContext<F> extends StepContext {
  /**
   * Adds facts at once, also when the step fails later: the result document and the steps after it see them.
   * After the step has ended it does nothing.
   */
  readonly note: (facts: Partial<F>) => void
}

/** What a step returns: new facts for the steps after it, and one sentence for the result. */
export interface StepOutcome<F> {
  readonly facts?: Partial<F>
  readonly detail?: string
  /** The commit that the run turned out to be about. */
  readonly commit?: string
}

/**
 * @template F what the steps of one pipeline know; a step never changes it, it returns or notes new facts
 * @template Name the names that a step may have: those of its table in `shared/steps.ts`
 */
export interface Step<F, Name extends string = string> {
  readonly name: Name
  readonly timeLimitSeconds: number
  /** Why the step is not needed; undefined runs it. A skipped step is not a failure, so the reason must be a fact. */
  readonly skip?: (facts: Readonly<F>) => string | undefined
  readonly run: (facts: Readonly<F>, context: FactContext<F>) => Promise<StepOutcome<F> | undefined>
}
