/** How long runs and their steps typically take: the median of those that passed. */
import type { StatusReply } from './api.ts'
import type { StepResult } from './result.ts'

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
export function typicalDurations(runs: readonly PassedRun[]): Record<string, number> {
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

/** What the status of a host alone shows: its last ship, its last deploy, and the length of recent deploys. */
export function passedRunsOf(status: StatusReply): PassedRun[] {
  const deploy = status.last_deploy.result
  const earlier = status.recent_deploys.flatMap((run): PassedRun[] =>
    run.action === 'deploy_and_verify' &&
    run.status === 'passed' &&
    run.run_id !== deploy?.run_id &&
    run.started_at !== null &&
    run.finished_at !== null
      ? [
          {
            action: run.action,
            total_ms: Date.parse(run.finished_at) - Date.parse(run.started_at),
            steps: [],
          },
        ]
      : [],
  )
  const newest = [
    passedRun('ship', status.last_ship.result),
    passedRun('deploy_and_verify', deploy),
  ]
  return [...newest.filter((run) => run !== null), ...earlier]
}
