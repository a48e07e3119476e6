// Runs one program with a limit of time and leaves nothing of it behind.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { Problem } from '#shared/errors'
import { inheritedVariables, minimalEnv } from '../env.ts'
import { OutputReader } from './output-reader.ts'
import { endTree, startedAt, type TreeSelector } from './process-tree.ts'
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
  /** Takes its lines as they come, with secrets redacted. */
  readonly onLine?: (text: string, stream: 'stdout' | 'stderr') => void
  /** Asked for each piece of its output: false passes over it, as if it had not been printed. */
  readonly follows?: () => boolean
  /**
   * Keep standard output and return it as it was, for a program to read. The caller redacts what it shows or stores.
   * More than `keepBytes` (default 8 MiB) is an error.
   */
  readonly keepStdout?: boolean
  readonly keepBytes?: number
  /** Kept output is bytes and not text: one character for each byte (latin1). */
  readonly rawStdout?: boolean
  /** Takes standard output as it comes, unredacted and of any size, in place of `keepStdout`. */
  readonly onBytes?: (piece: Buffer) => void
}

export interface CommandResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly timedOut: boolean
  readonly durationMs: number
  readonly stdout: string
  /** Last 20 lines of standard error, for a message, with secrets redacted. */
  readonly stderrTail: string
}

/** A program wrote more than its caller keeps. */
export class TooMuchOutput extends Problem {
  /** Bytes that are kept. */
  readonly limit: number
  constructor(program: string, limit: number) {
    super('internal_error', `${program} wrote more than ${limit} bytes where less was expected.`)
    this.limit = limit
  }
}

/** The environment of every command of a pipeline: enough to find programs and a home, and nothing secret. */
export function baseEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const names = ['TMPDIR', 'SystemRoot', 'OPENCLAW_RUN_ID', 'OPENCLAW_HQ_INSTALL']
  return { ...minimalEnv(), ...inheritedVariables(names), ...extra }
}

/** Bytes of standard output that are kept unless the caller says otherwise. */
const defaultKeepBytes = 8 * 1024 * 1024
/** Lines of standard error that are kept for a message. */
const tailLines = 20
/** Longest wait for the pipes of a tree that has ended, milliseconds: another process may hold them open. */
const drainMs = 2000

interface Exit {
  readonly exitCode: number | null
  readonly signal: string | null
  /** Why it could not be started. */
  readonly failed?: Error & { readonly originalMessage?: string }
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
  return await new CommandRun(program, args, options).result()
}

const spawnMarked = (
  program: string,
  args: readonly string[],
  { options, marker }: { options: CommandOptions; marker: string },
) =>
  execa(program, args, {
    cwd: options.cwd,
    env: {
      ...options.env,
      ...(options.as ? { HOME: options.as.home } : {}),
      OPENCLAW_COMMAND: marker,
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

/** One command from its start to its end. */
class CommandRun {
  readonly #program: string
  readonly #options: CommandOptions
  readonly #started = performance.now()
  readonly #child: ReturnType<typeof spawnMarked>
  readonly #tree: TreeSelector
  readonly #exited: Promise<Exit>
  readonly #streams: Promise<unknown>
  readonly #readers: Readonly<Record<'stdout' | 'stderr', OutputReader>>
  readonly #kept: string[] = []
  readonly #tail: string[] = []
  #keptBytes = 0
  #timedOut = false
  #ending: Promise<number[]> | undefined

  constructor(program: string, args: readonly string[], options: CommandOptions) {
    this.#program = program
    this.#options = options
    const marker = randomBytes(8).toString('hex')
    this.#child = spawnMarked(program, args, { options, marker })
    const { pid } = this.#child
    // Read before the loop turns: until then the process exists, even when it has ended.
    this.#tree = {
      ...(pid === undefined ? {} : { pgid: pid, since: startedAt(pid) }),
      marker: `OPENCLAW_COMMAND=${marker}`,
    }
    // execa's promise waits for the pipes to close, which a process left behind can hold open for ever.
    this.#exited = new Promise((resolve) =>
      this.#child.nodeChildProcess.once('exit', (exitCode, signal) =>
        resolve({ exitCode, signal }),
      ),
    )
    this.#readers = { stdout: this.#reader('stdout'), stderr: this.#reader('stderr') }
    this.#streams = Promise.all([this.#read('stdout'), this.#read('stderr')])
    if (options.input !== undefined) {
      this.#child.stdin?.on('error', () => undefined) // EPIPE: it ended without reading; its exit says the rest
      this.#child.stdin?.end(options.input)
    }
  }

  async result(): Promise<CommandResult> {
    const { signal, timeLimitSeconds } = this.#options
    const end = (): void => {
      this.#ending ??= endTree(this.#tree)
    }
    const timer = setTimeout(() => {
      this.#timedOut = true
      end()
    }, timeLimitSeconds * 1000)
    signal?.addEventListener('abort', end, { once: true })
    try {
      const exit = await Promise.race([this.#exited, this.#failure()])
      // What it left running is ended now, so that the pipes close and the step leaves nothing behind.
      const left = await (this.#ending ?? endTree(this.#tree))
      await Promise.race([this.#streams, delay(drainMs, undefined, { ref: false })])
      this.#requireCleanEnd(exit, left)
      return this.#report(exit)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
    }
  }

  /** execa's own end, which alone knows why a program could not be started. */
  async #failure(): Promise<Exit> {
    const failed = await this.#child
    return {
      exitCode: failed.exitCode ?? null,
      signal: failed.signal ?? null,
      ...(failed instanceof Error ? { failed } : {}),
    }
  }

  #reader(stream: 'stdout' | 'stderr'): OutputReader {
    const { follows = () => true } = this.#options
    return new OutputReader({ onLine: (text) => this.#onLine(text, stream), follows })
  }

  #read(stream: 'stdout' | 'stderr'): Promise<void> {
    // Kept output that nobody follows is data; splitting it would cost time for nothing.
    const followed = stream === 'stderr' || this.#options.onLine !== undefined
    const source = this.#child[stream]
    const reader = this.#readers[stream]
    return new Promise((resolve) => {
      source.on('data', (chunk: Buffer) => {
        if (stream === 'stdout') this.#options.onBytes?.(chunk)
        if (stream === 'stdout' && this.#options.keepStdout) this.#keep(chunk)
        if (followed) reader.push(chunk)
      })
      const end = (): void => {
        reader.end()
        resolve()
      }
      source.once('close', end)
      source.once('error', end)
    })
  }

  #onLine(text: string, stream: 'stdout' | 'stderr'): void {
    if (stream === 'stderr') {
      this.#tail.push(text)
      if (this.#tail.length > tailLines) this.#tail.shift()
    }
    this.#options.onLine?.(text, stream)
  }

  get #limit(): number {
    return this.#options.keepBytes ?? defaultKeepBytes
  }

  #keep(chunk: Buffer): void {
    if (this.#keptBytes > this.#limit) return
    this.#keptBytes += chunk.length
    if (this.#keptBytes <= this.#limit) this.#kept.push(chunk.toString('latin1'))
  }

  #requireCleanEnd({ failed }: Exit, left: readonly number[]): void {
    const program = this.#program
    if (this.#options.signal?.aborted)
      throw new Problem('cancelled', `${program} was stopped because the run was cancelled.`)
    if (left.length > 0)
      throw new Problem(
        'internal_error',
        `Processes that ${program} started did not end: ${left.join(', ')}.`,
      )
    if (this.#child.pid === undefined)
      throw new Problem(
        'internal_error',
        `${program} could not be started: ${failed?.originalMessage ?? 'unknown reason'}`,
        { cause: failed },
      )
    if (this.#keptBytes > this.#limit) throw new TooMuchOutput(program, this.#limit)
  }

  #report({ exitCode, signal }: Exit): CommandResult {
    const kept = this.#kept.join('')
    return {
      exitCode,
      signal,
      timedOut: this.#timedOut,
      durationMs: Math.round(performance.now() - this.#started),
      stdout: this.#options.rawStdout ? kept : Buffer.from(kept, 'latin1').toString('utf8'),
      stderrTail: this.#tail.join('\n'),
    }
  }
}
