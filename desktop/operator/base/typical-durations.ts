import type { StepResult } from '#shared/result'

/** One run that passed: how long it and its steps took, in milliseconds. */
export interface PassedRun {
  readonly action: string
  readonly total_ms: number
  readonly steps: readonly Pick<StepResult, 'name' | 'status' | 'duration_ms'>[]
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return Math.round(
    sorted.length % 2 === 1
      ? (sorted[middle] ?? 0)
      : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2,
  )
}

/** Median durations by `<action>` and `<action>/<step>`, of steps that passed. */
export function usualMs(runs: readonly PassedRun[]): Record<string, number> {
  const samples = new Map<string, number[]>()
  const add = (key: string, ms: number): void => {
    samples.set(key, [...(samples.get(key) ?? []), ms])
  }
  for (const { action, total_ms, steps } of runs) {
    add(action, total_ms)
    for (const { name, status, duration_ms } of steps)
      if (status === 'passed' && duration_ms !== null) add(`${action}/${name}`, duration_ms)
  }
  return Object.fromEntries([...samples].map(([key, values]) => [key, median(values)]))
}

/** @returns null unless the document is a PASS */
export function passedRun(
  action: string,
  result: {
    overall: string
    started_at: string
    finished_at: string
    steps: readonly StepResult[]
  } | null,
): PassedRun | null {
  if (result?.overall !== 'PASS') return null
  return {
    action,
    total_ms: Math.max(0, Date.parse(result.finished_at) - Date.parse(result.started_at)),
    steps: result.steps,
  }
}
