// Runs the implementer once; what it said is kept in the proof.
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { CommandResult } from '#ops/base/process/command'
import { writeWhole } from '#ops/base/files/json-file'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { completedItem } from '#ops/features/ship/review/codex-events'
import { failed, untouched, type Implementer } from './implementer.ts'

/** Most characters of its output that are kept. */
const maxOutput = 64 * 1024 * 1024

export interface ImplementerTask {
  readonly prompt: string
  /** Where it works. */
  readonly folder: string
}

/**
 * Prompt on standard input, which then ends; environment from nothing; its own time limit; the whole process tree ended
 * however it ends.
 *
 * @throws {Problem} `implementer_failed`, `implementer_timeout`
 */
export async function runImplementer(
  implementer: Implementer,
  { prompt, folder }: ImplementerTask,
  context: StepContext,
): Promise<void> {
  const { argv, env, timeLimitSeconds } = implementer
  const output = new ImplementerOutput(implementer, context)
  let result: CommandResult
  try {
    result = await context.run(argv, {
      cwd: folder,
      env,
      timeLimitSeconds,
      input: prompt,
      quiet: true,
      onLine: (text, stream) => output.take(text, stream),
    })
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'internal_error')
      throw failed(error.message, { cause: error })
    throw error
  } finally {
    output.write() // also of one that was ended: what it said until then is evidence
  }
  if (result.timedOut)
    throw new Problem(
      'implementer_timeout',
      `The repair was not made: the implementer took longer than ${timeLimitSeconds} s and was stopped. ${untouched}`,
    )
  if (result.exitCode !== 0) {
    const last = implementer.redactor.text(result.stderrTail.split('\n').at(-1) ?? '')
    throw failed(`the implementer ended with ${result.exitCode ?? result.signal}: ${last}`, {
      evidence: output.tail(),
    })
  }
}

/** What an implementer says, without its secrets. */
class ImplementerOutput {
  readonly #context: StepContext
  readonly #file: string
  readonly #isJson: boolean
  readonly #clean: Record<'stdout' | 'stderr', (line: string) => string>
  readonly #kept: string[] = []
  #size = 0

  constructor({ output, redactor }: Implementer, context: StepContext) {
    this.#context = context
    this.#file = join(context.dir, output)
    this.#isJson = output.endsWith('.jsonl')
    this.#clean = { stdout: redactor.lines(), stderr: redactor.lines() }
  }

  take(text: string, stream: 'stdout' | 'stderr'): void {
    const line = this.#clean[stream](text)
    if (stream === 'stderr') return this.#context.log(line, 'stderr')
    this.#size += line.length + 1
    if (this.#size <= maxOutput) this.#kept.push(line)
    const shown = this.#isJson ? codexLine(line) : line
    if (shown !== null) this.#context.log(shown, 'stdout')
  }

  tail(): string[] {
    return this.#kept.slice(-5)
  }

  write(): void {
    writeWhole(this.#file, this.#kept.map((line) => `${line}\n`).join(''))
  }
}

/** What one event of Codex says, for the log; null: nothing. */
function codexLine(line: string): string | null {
  const item = completedItem(line)
  return item === null
    ? null
    : `implementer: ${item.type} ${item.command ?? item.text ?? ''}`.trim().slice(0, 500)
}
