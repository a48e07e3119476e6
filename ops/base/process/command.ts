import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { Problem } from '#shared/errors'
import { inheritedVariables, minimalEnv } from '../env.ts'
import { LineSplitter } from './lines.ts'
import { endTree, startedAt } from './process-tree.ts'
import { redact } from '#ops/base/redact/redaction'
import type { RunAs } from './run-as.ts'

export interface CommandOptions {
  readonly cwd: string
  /** The whole environment of the command. Nothing is inherited. See `baseEnv`. */
  readonly env: Readonly<Record<string, string>>
  readonly timeLimitSeconds: number
  /** Account it runs as; HOME is that account's. Default: who we are. */
  readonly as?: RunAs
  readonly signal?: AbortSignal
  /** Text for its standard input; without it the input is closed. */
  readonly input?: string
  /** Its lines as they come, without what is secret. */
  readonly onLine?: (text: string, stream: 'stdout' | 'stderr') => void
  /** Keep standard output and give it back as it was, for a program: what of it is shown or kept must be redacted; more than `keepBytes` (default 8 MiB) is an error. */
  readonly keepStdout?: boolean
  readonly keepBytes?: number
  /** Kept output is no text: one character for each byte (latin1). */
  readonly rawStdout?: boolean
}

export interface CommandResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly timedOut: boolean
  readonly durationMs: number
  readonly stdout: string
  /** Last lines of standard error, for a message, without what is secret. */
  readonly stderrTail: string
}

/** What every command of a pipeline gets: enough to find programs and a home, and nothing secret. */
export function baseEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const names = ['TMPDIR', 'SystemRoot', 'OPENCLAW_RUN_ID', 'OPENCLAW_HQ_INSTALL']
  return { ...minimalEnv(), ...inheritedVariables(names), ...extra }
}

/**
 * Runs one program: argument list, environment from nothing, own process group, time limit. However it ends, nothing
 * it started is left behind, also when that left the group: every descendant carries a marker in its environment.
 *
 * @returns how it ended; a non-zero exit is not an error here
 * @throws {Problem} `cancelled` when `signal` fires; `internal_error` when the program cannot be started, or what it
 *   started cannot be ended
 */
export async function runCommand(
  argv: readonly [string, ...string[]] | readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const [program, ...args] = argv
  if (program === undefined) throw new TypeError('argv is empty')
  options.signal?.throwIfAborted()
  const started = performance.now()
  const nonce = randomBytes(8).toString('hex')
  const child = execa(program, args, {
    cwd: options.cwd,
    env: {
      ...options.env,
      ...(options.as ? { HOME: options.as.home } : {}),
      OPENCLAW_COMMAND: nonce,
    },
    ...(options.as ? { uid: options.as.uid, gid: options.as.gid } : {}),
    extendEnv: false,
    reject: false,
    buffer: false,
    detached: true,
    cleanup: false,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  // Asked before the loop turns: until then it is there, even when it has ended.
  const selector = {
    ...(child.pid === undefined ? {} : { pgid: child.pid, since: startedAt(child.pid) }),
    marker: `OPENCLAW_COMMAND=${nonce}`,
  }

  const kept: string[] = []
  let keptBytes = 0
  let tooMuch = false
  const tail: string[] = []
  const limit = options.keepBytes ?? 8 * 1024 * 1024
  const read = (stream: 'stdout' | 'stderr'): Promise<void> => {
    // Kept output that nobody follows is data; splitting it would cost time for nothing.
    const followed = stream === 'stderr' || options.onLine !== undefined
    // On the bytes, before they are cut into lines: a secret may come in two chunks, a key over many lines.
    const redactor = redact.bytes()
    const lines = new LineSplitter((text) => {
      if (stream === 'stderr') {
        tail.push(text)
        if (tail.length > 20) tail.shift()
      }
      options.onLine?.(text, stream)
    })
    const source = child[stream]
    return new Promise((resolve) => {
      source.on('data', (chunk: Buffer) => {
        if (stream === 'stdout' && options.keepStdout && !tooMuch) {
          keptBytes += chunk.length
          if (keptBytes > limit) tooMuch = true
          else kept.push(chunk.toString('latin1'))
        }
        if (followed) lines.push(redactor.push(chunk))
      })
      const end = (): void => {
        lines.push(redactor.end())
        lines.end()
        resolve()
      }
      source.once('close', end)
      source.once('error', end)
    })
  }
  // execa's promise waits for the pipes to close, which a process left behind can hold open for ever.
  const exited = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) =>
    child.nodeChildProcess.once('exit', (exitCode, signal) => resolve({ exitCode, signal })),
  )
  const streams = Promise.all([read('stdout'), read('stderr')])
  if (options.input !== undefined) {
    child.stdin?.on('error', () => undefined) // EPIPE: it ended without reading; its exit says the rest
    child.stdin?.end(options.input)
  }

  let timedOut = false
  let ending: Promise<number[]> | undefined
  const end = (): void => {
    ending ??= endTree(selector)
  }
  const timer = setTimeout(() => {
    timedOut = true
    end()
  }, options.timeLimitSeconds * 1000)
  options.signal?.addEventListener('abort', end, { once: true })
  try {
    const outcome = await Promise.race([
      exited,
      child.then((failed) => ({
        exitCode: failed.exitCode ?? null,
        signal: failed.signal ?? null,
        failed,
      })),
    ])
    // What it left running is ended now, so that the pipes close and the step leaves nothing behind.
    const left = await (ending ?? endTree(selector))
    await Promise.race([streams, delay(2000, undefined, { ref: false })])
    if (options.signal?.aborted)
      throw new Problem('cancelled', `${program} was ended because the run was cancelled.`)
    if (left.length > 0)
      throw new Problem(
        'internal_error',
        `Processes that ${program} started would not end: ${left.join(', ')}.`,
      )
    if (child.pid === undefined) {
      const cause = 'failed' in outcome ? outcome.failed : undefined
      throw new Problem(
        'internal_error',
        `${program} could not be started: ${cause?.originalMessage ?? 'unknown reason'}`,
        { cause },
      )
    }
    if (tooMuch)
      throw new Problem(
        'internal_error',
        `${program} wrote more than ${limit} bytes where less was expected.`,
      )
    return {
      exitCode: outcome.exitCode,
      signal: outcome.signal,
      timedOut,
      durationMs: Math.round(performance.now() - started),
      stdout: options.rawStdout
        ? kept.join('')
        : Buffer.from(kept.join(''), 'latin1').toString('utf8'),
      stderrTail: tail.join('\n'),
    }
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', end)
  }
}
