import { z } from 'zod'
import { engineName } from './config/engines.ts'
import { errorClasses } from './errors.ts'
import { commitId, runId, timestamp } from './ids.ts'
import { remediationIds } from './errors/remediations.ts'

export const overall = z.enum(['PASS', 'FAIL'])
export const stepStatus = z.enum([
  'waiting',
  'running',
  'passed',
  'failed',
  'skipped',
  'cancelled',
  'not_reached',
])
export type StepStatus = z.infer<typeof stepStatus>

export const stepResult = z.strictObject({
  name: z.string(),
  status: stepStatus,
  started_at: timestamp.nullable(),
  duration_ms: z.number().int().nonnegative().nullable(),
  /** File name of the step's log inside the artifact folder. */
  log: z.string().nullable(),
  /** One sentence for a person: why it was skipped, what failed, what was found. */
  detail: z.string().nullable(),
})
export type StepResult = z.infer<typeof stepResult>

/** The fields that every result document carries (docs/reference/api.md). */
export const resultFields = {
  schema_version: z.literal(1),
  run_id: runId,
  overall,
  step_failed: z.string().nullable(),
  error_class: z.enum(errorClasses).nullable(),
  next_auto_fix: z.enum(remediationIds).nullable(),
  git_head: commitId.nullable(),
  git_tree: commitId.nullable(),
  started_at: timestamp,
  finished_at: timestamp,
  steps: z.array(stepResult),
  /** Name to path, relative to the folder the document lies in. */
  artifacts: z.record(z.string(), z.string()),
}

const resultFieldsObject = z.strictObject(resultFields)
export type ResultFields = z.infer<typeof resultFieldsObject>

/** Any result document: the common fields, with whatever its kind adds. */
export const resultDocument = z.looseObject(resultFields)
export type ResultDocument = z.infer<typeof resultDocument>

/** A protected file that repairs changed. */
export const protectedChange = z.strictObject({ path: z.string(), status: z.string() })

export const repair = z.strictObject({
  number: z.number().int().positive(),
  /** Folder of its prompt, output, diff and log inside the proof. */
  folder: z.string(),
  implementer: z.string(),
  /** The commit HQ made of it; null when there is none. */
  commit: commitId.nullable(),
  /** Why there is no commit. */
  error_class: z.enum(errorClasses).nullable(),
  detail: z.string(),
  duration_ms: z.number().int().nonnegative(),
})
export type Repair = z.infer<typeof repair>

export const untilGreen = z.strictObject({
  /** Most repairs. */
  bound: z.number().int().positive(),
  /** The commit the operator shipped; what the repairs start from. */
  start_sha: commitId.nullable(),
  /** One run of the gates each; the last one is the result itself. */
  attempts: z.array(
    z.strictObject({
      number: z.number().int().positive(),
      /** Its folder inside the proof; empty for the last, whose files are the proof's own. */
      folder: z.string(),
      git_head: commitId.nullable(),
      overall,
      step_failed: z.string().nullable(),
      error_class: z.enum(errorClasses).nullable(),
      detail: z.string().nullable(),
    }),
  ),
  repairs: z.array(repair),
  /** Protected files that differ between `start_sha` and the last commit. */
  protected_changes: z.array(protectedChange),
  /** Why it went no further, in one sentence. */
  stopped: z.string(),
  /** Ref in the operator's repository that keeps the last repair when the branch was not moved to it. */
  kept_ref: z.string().nullable(),
})
export type UntilGreen = z.infer<typeof untilGreen>

export const shipResult = z.strictObject({
  ...resultFields,
  since_sha: commitId.nullable(),
  verdict_id: z.string().nullable(),
  pushed_sha: commitId.nullable(),
  remote_sha: commitId.nullable(),
  /** True when the review came from a scripted demo provider; shown as "scripted (demo)". */
  scripted_review: z.boolean(),
  tests: z.array(
    z.strictObject({
      name: z.string(),
      total: z.number().int(),
      passed: z.number().int(),
      failed: z.number().int(),
      skipped: z.number().int(),
      /** Of those that passed: tests that failed before, in the same run of the suite. Absent: 0. */
      flaky: z.number().int().optional(),
      /** Tests that failed as their author says they must. Absent: 0. */
      expected_failures: z.number().int().optional(),
      /** Tests that their author marked as still to be written. Absent: 0. */
      todo: z.number().int().optional(),
    }),
  ),
  /** The verdict is that of an earlier ship of the same commit; absent: it was made by this one. */
  review_reused: z
    .strictObject({
      run_id: runId,
      verdict_id: z.string(),
      approved_at: timestamp,
      age_minutes: z.number().int().nonnegative(),
    })
    .nullable()
    .optional(),
  /** What `--until-green` did; absent: it was off. */
  until_green: untilGreen.optional(),
})
export type ShipResult = z.infer<typeof shipResult>

export const deployResult = z.strictObject({
  ...resultFields,
  attempt: z.number().int().positive(),
  target_sha: commitId.nullable(),
  previous_sha: commitId.nullable(),
  engine: engineName.nullable(),
  /** How long nothing answered while the new version took over, in milliseconds. */
  unanswered_ms: z.number().nonnegative().nullable(),
})
export type DeployResult = z.infer<typeof deployResult>

/** One independent check of doctor, verify, guard, DoD or the port audit. */
export const checkResult = z.strictObject({
  name: z.string(),
  status: z.enum(['PASS', 'WARN', 'FAIL', 'SKIP']),
  detail: z.string(),
  remedy: z.enum(remediationIds).nullable(),
  duration_ms: z.number().int().nonnegative(),
})
export type CheckResult = z.infer<typeof checkResult>

/**
 * Result of an action that is a list of checks: doctor, guard, port_audit, verify_production, green_check,
 * selftest.
 */
export const checksResult = z.strictObject({
  ...resultFields,
  kind: z.enum([
    'doctor',
    'guard',
    'port_audit',
    'verify_production',
    'green_check',
    'assert_production_pull_only',
    'selftest',
  ]),
  /** The deploy this belongs to, when it was run by one. */
  deploy_run_id: runId.nullable(),
  checks: z.array(checkResult),
})
export type ChecksResult = z.infer<typeof checksResult>

export const dodResult = z.strictObject({
  ...resultFields,
  deploy_run_id: runId,
  /** The doctor run the verdict rests on, and whether it was joined instead of started. */
  doctor_run_id: runId.nullable(),
  joined: z.boolean(),
  checks: z.array(checkResult),
})
export type DodResult = z.infer<typeof dodResult>

export const triage = z.strictObject({
  schema_version: z.literal(1),
  run_id: runId,
  error_class: z.enum(errorClasses),
  failing_step: z.string().nullable(),
  retryable: z.boolean(),
  next_auto_fix: z.enum(remediationIds),
  /** The first line of the failing step's log that is an error, with the source position it names. */
  first_error: z
    .strictObject({
      text: z.string(),
      log: z.string(),
      line: z.number().int().positive(),
      file: z.string().nullable(),
      file_line: z.number().int().positive().nullable(),
    })
    .nullable(),
  /** Equal fingerprints mean the same failure; a repeat ends deploy_until_green. */
  fingerprint: z.string(),
  attempts: z.number().int().positive(),
  evidence: z.array(z.string()),
  written_at: timestamp,
})
export type Triage = z.infer<typeof triage>

/** What a green rollback leaves: no deploy follows origin/main until it moves, or somebody unpins. */
export const pin = z.strictObject({
  /** Commit that was rolled back to. */
  sha: commitId,
  /** What origin/main was then; another commit there is the next ship, and ends the pin. */
  from_sha: commitId,
  /** The rollback. */
  run_id: runId,
  since: timestamp,
})
export type Pin = z.infer<typeof pin>

export const projectState = z.strictObject({
  schema_version: z.literal(1),
  last_deploy_timestamp: timestamp,
  last_deploy_run_id: runId,
  last_verified_head: commitId,
  target_sha: commitId,
  last_doctor_result: z.strictObject({ run_id: runId, overall, finished_at: timestamp }),
  last_guard_result: z.strictObject({ run_id: runId, overall, finished_at: timestamp }),
  next_action: z.string().nullable(),
  /** Absent: the host follows origin/main. */
  pin: pin.optional(),
  /** Where a rollback without a commit goes: the last green commit before this one. */
  rollback_to: commitId.nullable().optional(),
})
export type ProjectState = z.infer<typeof projectState>
