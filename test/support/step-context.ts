import { expect } from 'vitest'
import { runCommand } from '#ops/base/process/command'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { errorRule, Problem } from '#shared/errors'
import type { ExpectedStop } from './ship-stop.ts'

/** The context of a step outside a pipeline: commands run, nothing is logged. @param dir folder of the proof */
export function stepContext(dir: string): StepContext {
  const { signal } = new AbortController()
  return {
    signal,
    dir,
    log: () => undefined,
    run: (argv, { timeLimitSeconds = 60, ...rest }) =>
      runCommand(argv, { ...rest, signal, timeLimitSeconds }),
  }
}

/** The Problem that `run` throws. @throws {Error} when it throws none */
export async function problemFrom(run: () => unknown): Promise<Problem> {
  try {
    await run()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Class, sentence, fix and exit code of a refusal are what the command line would report. */
export function expectRefusal(
  problem: Problem | null,
  { error_class, fix, exit, detail = '' }: Omit<ExpectedStop, 'step'>,
): void {
  expect({ error_class: problem?.errorClass, detail: problem?.message }).toEqual({
    error_class,
    detail: expect.stringContaining(detail) as unknown,
  })
  expect(errorRule(error_class).next_auto_fix).toBe(fix)
  expect(exitCodeOf({ overall: 'FAIL', error_class })).toBe(exit)
}
