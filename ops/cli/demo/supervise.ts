import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LineSplitter } from '#ops/base/process/lines'
import { endTree } from '#ops/base/process/process-tree'
import { sayError } from '#ops/base/redact/crash-output'

export interface Supervised {
  readonly name: string
  /** Ends the process and everything that it started, for good. */
  stop(): Promise<void>
}

export interface SuperviseOptions {
  readonly name: string
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Standard error, and standard output after each line was seen, go here. */
  readonly logFile: string
  /** Called for each line of standard output. The process counts as up when it returns true. */
  readonly onLine?: (line: string) => boolean
  /** Polled every 50 ms, for a process that does not report when it is up. */
  readonly isUp?: () => Promise<boolean>
  readonly readyWithinSeconds: number
  /** When it ends unexpectedly: restart it, or call this function. */
  readonly onExit?: 'restart' | (() => void)
}

/** A process that has ended this often within a minute is not restarted. */
const maxRestarts = 5

/**
 * Starts a process of the demo and restarts it when it ends, as systemd does on a host.
 * @throws {Error} when it is not up in time; its log file says why
 */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  mkdirSync(dirname(options.logFile), { recursive: true })
  let stopping = false
  let current: ChildProcess | null = null
  const deaths: number[] = []

  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let settled = false
      const settle = (error?: Error): void => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        if (error) reject(error)
        else resolve()
      }

      const log = openSync(options.logFile, 'a', 0o600)
      const [program, ...args] = options.argv
      const child = spawn(program, args, {
        cwd: options.cwd,
        env: options.env,
        detached: true,
        stdio: ['ignore', 'pipe', log],
      })
      closeSync(log)
      current = child
      const timer = setTimeout(
        () =>
          settle(
            new Error(
              `${options.name} was not up within ${options.readyWithinSeconds} s; ${options.logFile} says why.`,
            ),
          ),
        options.readyWithinSeconds * 1000,
      )
      const lines = new LineSplitter((line) => {
        if (options.onLine?.(line)) settle()
      })
      child.stdout?.on('data', (chunk: Buffer) => lines.push(chunk))
      child.once('error', settle)
      child.once('exit', (code, signal) => {
        const wasUp = settled
        settle(
          new Error(`${options.name} ended with ${code ?? signal}; ${options.logFile} says why.`),
        )
        if (wasUp && !stopping) died()
      })
      const { isUp } = options
      if (isUp) void pollUntil(isUp, () => settled).then(() => settle(), settle)
    })

  const died = (): void => {
    if (options.onExit !== 'restart') {
      options.onExit?.()
      return
    }
    const now = Date.now()
    deaths.push(now)
    if (deaths.filter((time) => now - time < 60_000).length > maxRestarts) {
      process.stderr.write(
        `${options.name} died ${maxRestarts} times within a minute and stays down; ${options.logFile} says why.\n`,
      )
      return
    }
    start().catch((error: unknown) => sayError(String(error)))
  }

  await start()
  return {
    name: options.name,
    async stop() {
      stopping = true
      if (current?.pid !== undefined && current.exitCode === null && current.signalCode === null)
        await endTree({ pgid: current.pid }, 8000)
    },
  }
}

async function pollUntil(isUp: () => Promise<boolean>, stop: () => boolean): Promise<void> {
  while (!stop() && !(await isUp())) await delay(50)
}
