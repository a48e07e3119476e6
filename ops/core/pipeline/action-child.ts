import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import type { EventBody } from '#shared/events'
import { Problem, toProblem } from '#shared/errors'
import type { ResultDocument } from '#shared/result'
import { LineSplitter } from '#ops/base/process/lines'
import { endTree, type TreeSelector } from '#ops/base/process/process-tree'
import { redact } from '#ops/base/redact/redaction'
import { eventLines } from './event-lines.ts'

export interface ActionOutcome {
  /** null when a signal ended it or it could not be started. */
  readonly exitCode: number | null
  readonly signal: string | null
  /** The last `run_finished`, when there was one. */
  readonly document: ResultDocument | null
  /** Why it was stopped before its own end: cancel, time limit, a log that cannot be written. */
  readonly stopped: Problem | null
  /** Process ids that would not die. */
  readonly left: readonly number[]
}

export interface ActionOptions {
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
  /** Everything of the run but the runner itself. */
  readonly tree: TreeSelector
  /** Fires for a cancel; with a `Problem` as its reason, for what that says. */
  readonly signal: AbortSignal
  /**
   * Takes each event in the order it happened; when it throws, the action is ended.
   * @param redacted the event is a line of output whose bytes were redacted; any other is as the action meant it
   */
  readonly append: (event: EventBody, redacted: boolean) => void
}

/** After SIGTERM an action gets this long to write what it knows, milliseconds. */
const graceMs = 6000
/** Pipes of an ended tree are empty at once; longer means that a process outside the tree holds them. Milliseconds. */
const drainMs = 2000

const now = (): string => new Date().toISOString()

/**
 * Runs the command of an action with its event pipe on descriptor 3. Gives every event, and every line of its
 * output, to `append`, without what is secret: this holds whatever the action itself forgot to redact.
 * @returns how it ended; its whole process tree has ended by then
 */
export const runAction = (options: ActionOptions): Promise<ActionOutcome> =>
  new ActionRun(options).run()

type Exit = Pick<ActionOutcome, 'exitCode' | 'signal'>

class ActionRun {
  readonly #options: ActionOptions
  #document: ResultDocument | null = null
  #stopped: Problem | null = null
  /** A log with a hole is worse than one that stops: after an event that could not be appended no other is. */
  #broken = false
  #ending: Promise<number[]> | null = null

  constructor(options: ActionOptions) {
    this.#options = options
  }

  async run(): Promise<ActionOutcome> {
    const { signal, timeoutSeconds } = this.#options
    const child = this.#start()
    const exited = this.#exitOf(child)
    const pipes = this.#readPipes(child)
    const timer = setTimeout(() => this.#stop(tooSlow(timeoutSeconds)), timeoutSeconds * 1000)
    const onCancel = (): void => this.#stop(reasonOf(signal))
    if (signal.aborted) onCancel()
    signal.addEventListener('abort', onCancel, { once: true })
    try {
      const exit = await exited
      // What the action left running is ended now; long-lived services carry no marker and are in no group of the run.
      const left = await (this.#ending ?? this.#endTree())
      await Promise.race([pipes, delay(drainMs, undefined, { ref: false })])
      return { ...exit, document: this.#document, stopped: this.#stopped, left }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onCancel)
      for (const pipe of child.stdio) pipe?.destroy()
    }
  }

  #start(): ChildProcess {
    const { argv, cwd, env } = this.#options
    const [program, ...args] = argv
    return spawn(program, args, {
      cwd,
      env: { ...env, OPENCLAW_EVENTS_FD: '3' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
  }

  #exitOf(child: ChildProcess): Promise<Exit> {
    return new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
      child.once('error', (error) => {
        const message = `The action could not be started: ${error.message}`
        this.#stop(new Problem('internal_error', message, { cause: error }))
        resolve({ exitCode: null, signal: null })
      })
    })
  }

  /** @returns resolves when all pipes of the action are closed */
  async #readPipes(child: ChildProcess): Promise<void> {
    const events = eventLines(
      (event) => this.#onEvent(event),
      (why) => this.#refuse(why),
    )
    await Promise.all([
      this.#readOutput(child.stdout, 'stdout'),
      this.#readOutput(child.stderr, 'stderr'),
      drain(
        child.stdio[3] as Readable | null,
        (chunk) => events.push(chunk),
        () => events.end(),
      ),
    ])
  }

  #readOutput(source: Readable | null, stream: 'stdout' | 'stderr'): Promise<void> {
    const lines = new LineSplitter((text) =>
      this.#append({ type: 'log', time: now(), step: null, stream, text }, true),
    )
    const redactor = redact.bytes()
    return drain(
      source,
      (chunk) => lines.push(redactor.push(chunk)),
      () => {
        lines.push(redactor.end())
        lines.end()
      },
    )
  }

  #onEvent(event: EventBody): void {
    if (event.type === 'run_finished') this.#document = event.result
    else this.#append(event)
  }

  /** After a line that is not an event, an earlier result document is not trusted either. */
  #refuse(why: string): void {
    this.#document = null
    this.#append({ type: 'log', time: now(), step: null, stream: 'hq', text: `Refused: ${why}.` })
  }

  #append(event: EventBody, redacted = false): void {
    if (this.#broken) return
    try {
      this.#options.append(event, redacted)
    } catch (error) {
      this.#broken = true
      this.#stop(toProblem(error))
    }
  }

  #stop(problem: Problem): void {
    this.#stopped ??= problem
    this.#ending ??= this.#endTree()
  }

  #endTree(): Promise<number[]> {
    return endTree(this.#options.tree, graceMs)
  }
}

const tooSlow = (seconds: number): Problem =>
  new Problem(
    'step_timeout',
    `The action took longer than its limit of ${seconds} s and was stopped.`,
  )

const reasonOf = (signal: AbortSignal): Problem =>
  signal.reason instanceof Problem
    ? signal.reason
    : new Problem('cancelled', 'The run was cancelled.')

function drain(
  source: Readable | null,
  push: (chunk: Buffer) => void,
  end: () => void,
): Promise<void> {
  if (source === null) return Promise.resolve()
  return new Promise((resolve) => {
    source.on('data', push)
    source.once('error', () => undefined) // 'close' follows
    source.once('close', () => {
      end()
      resolve()
    })
  })
}
