import type { ResultDocument } from '#shared/result'

/** The result of an action that has no steps of its own. It is made when all is done: whatever went wrong was thrown before. */
export const doneDocument = (runId: string, startedAt: string): ResultDocument => ({
  schema_version: 1,
  run_id: runId,
  overall: 'PASS',
  step_failed: null,
  error_class: null,
  next_auto_fix: null,
  git_head: null,
  git_tree: null,
  started_at: startedAt,
  finished_at: new Date().toISOString(),
  steps: [],
  artifacts: {},
})
