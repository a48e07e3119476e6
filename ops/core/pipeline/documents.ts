import { errorRule, type ErrorClass } from '#shared/errors'
import type { ResultDocument, ResultFields, StepResult } from '#shared/result'

/** What a run reports about itself, whether it passed or failed. */
export interface RunReport {
  readonly runId: string
  readonly startedAt: string
  /** The commit that the run was about; absent or null: none. */
  readonly head?: { readonly commit: string | null; readonly tree: string | null } | null
  readonly steps?: StepResult[]
  /** Name to path, relative to the folder of the document. */
  readonly artifacts?: Record<string, string>
}

/** Why a run failed. A `Problem` is one. */
export interface Failure {
  readonly errorClass: ErrorClass
  /** The step or check that failed; absent or null: none in particular. */
  readonly step?: string | null
}

/**
 * The fields that every result document carries. All result documents are built from these, so `overall`, class,
 * step and remedy always agree.
 * @param failure null: the run passed
 */
export const resultFieldsOf = (
  { runId, startedAt, head, steps = [], artifacts = {} }: RunReport,
  failure: Failure | null,
): ResultFields => ({
  schema_version: 1,
  run_id: runId,
  ...verdictOf(failure),
  git_head: head?.commit ?? null,
  git_tree: head?.tree ?? null,
  started_at: startedAt,
  finished_at: new Date().toISOString(),
  steps,
  artifacts,
})

/** The result of an action that has no steps. Build it when all is done: a failure is thrown before. */
export const doneDocument = (runId: string, startedAt: string): ResultDocument =>
  resultFieldsOf({ runId, startedAt }, null)

/** The same document as a FAIL, with everything else that it reports kept. */
export const asFailed = <D extends ResultFields>(document: D, failure: Failure): D => ({
  ...document,
  ...verdictOf(failure),
})

/**
 * The result of a run whose action gave none, or none that can be trusted.
 * @param failure its class, and why, in one sentence; a `Problem` is one
 * @param reported what the action did report, when it reported anything; its steps and commit are kept
 */
export function failDocument(
  run: { readonly run_id: string; readonly started_at: string },
  failure: { readonly errorClass: ErrorClass; readonly message: string },
  reported: ResultDocument | null = null,
): ResultDocument {
  const fields = resultFieldsOf({ runId: run.run_id, startedAt: run.started_at }, failure)
  const { step_failed, git_head, git_tree, steps, artifacts } = reported ?? fields
  return {
    ...reported,
    ...fields,
    step_failed,
    git_head,
    git_tree,
    steps,
    artifacts,
    detail: failure.message,
  }
}

type Verdict = Pick<ResultFields, 'overall' | 'step_failed' | 'error_class' | 'next_auto_fix'>

const verdictOf = (failure: Failure | null): Verdict =>
  failure === null
    ? { overall: 'PASS', step_failed: null, error_class: null, next_auto_fix: null }
    : {
        overall: 'FAIL',
        step_failed: failure.step ?? null,
        error_class: failure.errorClass,
        next_auto_fix: errorRule(failure.errorClass).next_auto_fix,
      }
