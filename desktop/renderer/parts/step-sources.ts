import type { LiveStep, LogState } from '../state/log-state.ts'
import type { ResultDocument } from '#shared/result'

/** The steps of a run: from its result document once it has ended, until then from its events. */
export function stepsOf(log: LogState, result: ResultDocument | null): readonly LiveStep[] {
  if (result === null || result.steps.length === 0) return log.steps
  return result.steps.map(({ name, status, started_at, duration_ms, detail }) => ({
    name,
    status,
    duration_ms,
    detail,
    started: started_at === null ? null : Date.parse(started_at),
    error_class: name === result.step_failed ? result.error_class : null,
    row: log.steps.findLast((step) => step.name === name)?.row ?? null,
  }))
}
