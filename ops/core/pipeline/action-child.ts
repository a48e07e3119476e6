import { spawn } from 'node:child_process'
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
/** Pipes of an ended tree are empty at once; longer means that somebody outside holds them. */
const drainMs = 2000

const now = (): string => new Date().toISOString()

/**
 * Runs the command of an action with its event pipe on descriptor 3 and gives every event, and every line of its
 * output without what is secret, to `append`: whatever the action forgot, this is the wall. However it ends, its
 * whole tree has ended when this resolves.
 */
export async function runAction(options: ActionOptions): Promise<ActionOutcome> {
  let document: ResultDocument | null = null
  let stopped: Problem | null = null
  let broken = false
  let ending: Promise<number[]> | null = null
  const stop = (problem: Problem): void => {
    stopped ??= problem
    ending ??= endTree(options.tree, graceMs)
  }
  const append = (event: EventBody, redacted = false): void => {
    if (broken) return // a log with a hole is worse than one that stops
    try {
      options.append(event, redacted)
    } catch (error) {
      broken = true
      stop(toProblem(error))
    }
  }
  const say = (text: string): void =>
    append({ type: 'log', time: now(), step: null, stream: 'hq', text })

  const [program, ...args] = options.argv
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...options.env, OPENCLAW_EVENTS_FD: '3' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const exited = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
    child.once('error', (error) => {
      stop(
        new Problem('internal_error', `The action could not be started: ${error.message}`, {
          cause: error,
        }),
      )
      resolve({ exitCode: null, signal: null })
    })
  })
  const output = (stream: 'stdout' | 'stderr'): Promise<void> => {
    const lines = new LineSplitter((text) =>
      append({ type: 'log', time: now(), step: null, stream, text }, true),
    )
    const redactor = redact.bytes()
    return drain(
      child[stream],
      (chunk) => lines.push(redactor.push(chunk)),
      () => {
        lines.push(redactor.end())
        lines.end()
      },
    )
  }
  const events = eventLines(
    (event) => {
      if (event.type === 'run_finished') document = event.result
      else append(event)
    },
    (why) => {
      document = null
      say(`Refused: ${why}.`)
    },
  )
  const pipes = Promise.all([
    output('stdout'),
    output('stderr'),
    drain(
      child.stdio[3] as Readable | null,
      (chunk) => events.push(chunk),
      () => events.end(),
    ),
  ])

  const timer = setTimeout(
    () =>
      stop(
        new Problem(
          'step_timeout',
          `The action took longer than its limit of ${options.timeoutSeconds} s and was ended.`,
        ),
      ),
    options.timeoutSeconds * 1000,
  )
  const onCancel = (): void =>
    stop(
      options.signal.reason instanceof Problem
        ? options.signal.reason
        : new Problem('cancelled', 'The run was cancelled.'),
    )
  if (options.signal.aborted) onCancel()
  options.signal.addEventListener('abort', onCancel, { once: true })
  try {
    const outcome = await exited
    // What the action left running is ended now; long-lived services carry no marker and are in no group of the run.
    const left = await (ending ?? endTree(options.tree, graceMs))
    await Promise.race([pipes, delay(drainMs, undefined, { ref: false })])
    return { ...outcome, document, stopped, left }
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', onCancel)
    for (const pipe of child.stdio) pipe?.destroy()
  }
}

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
