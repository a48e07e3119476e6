import type { LiveStep, LogState } from '../log/log-state.ts'
import type { ResultDocument, StepResult } from '#shared/result'

const fromResult = (steps: readonly StepResult[], result: ResultDocument): LiveStep[] => steps.map(({ name, status, started_at, duration_ms, detail }) => ({
  name, status, started: started_at === null ? null : Date.parse(started_at), duration_ms, detail, row: null,
  error_class: name === result.step_failed ? result.error_class : null,
}))

/** Steps from the live log where it has them, else from the result document of the run. */
export function stepsOf(log: LogState, result: ResultDocument | null): readonly LiveStep[] {
  if (log.steps.length > 0) return log.steps
  return result === null ? [] : fromResult(result.steps, result)
}
