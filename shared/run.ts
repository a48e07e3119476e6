import { z } from 'zod'
import { actionIds, lanes } from './actions.ts'
import { connectorName, maxSecretBytes, secretKind } from './connectors.ts'
import { errorClasses } from './errors.ts'
import { runId, timestamp } from './ids.ts'

export const runStatus = z.enum([
  'queued',
  'running',
  'passed',
  'failed',
  'cancelled',
  'interrupted',
  'runner_lost',
])
export type RunStatus = z.infer<typeof runStatus>
export const isEnded = (status: RunStatus): boolean => status !== 'queued' && status !== 'running'

/** One run as the API shows it. */
export const run = z.strictObject({
  run_id: runId,
  action: z.enum(actionIds),
  lane: z.enum(lanes),
  params: z.record(z.string(), z.unknown()),
  actor: z.string(),
  deploy_run_id: runId.nullable(),
  status: runStatus,
  requested_at: timestamp,
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
  error_class: z.enum(errorClasses).nullable(),
  step_failed: z.string().nullable(),
  /** When a cancel was requested; absent: none was, or the run has ended. */
  cancel_asked_at: timestamp.optional(),
})
export type Run = z.infer<typeof run>

/** `artifacts/runs/<run_id>/run.json`: written by the runner once, before the action starts. */
export const runFile = z.strictObject({
  schema_version: z.literal(1),
  run_id: runId,
  action: z.enum(actionIds),
  lane: z.enum(lanes),
  params: z.record(z.string(), z.unknown()),
  actor: z.string(),
  deploy_run_id: runId.nullable(),
  requested_at: timestamp,
  started_at: timestamp,
  /** systemd unit, when there is one. */
  unit: z.string().nullable(),
  /**
   * The runner: process id, process group, and the kernel's start time of it, so that a reused id is not taken for
   * it.
   */
  pid: z.number().int().positive(),
  pgid: z.number().int().positive(),
  start_time: z.string(),
  boot_id: z.string(),
})
export type RunFile = z.infer<typeof runFile>

/** `artifacts/.maintenance_mode`. Unreadable or off this schema counts as on. */
export const maintenanceFile = z.strictObject({
  schema_version: z.literal(1),
  deploy_run_id: runId.nullable(),
  reason: z.string(),
  since: timestamp,
  /** The person who holds it, alone or besides the deploy. A deploy never ends it. */
  hold: z.strictObject({ by: z.string(), reason: z.string(), since: timestamp }).optional(),
})
export type MaintenanceFile = z.infer<typeof maintenanceFile>

/** A request of hostd, the CLI or a timer to the runner: one JSON line on its standard input. */
export const runnerRequest = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('start'),
    run_id: runId,
    action: z.enum(actionIds),
    params: z.record(z.string(), z.unknown()),
    actor: z.string(),
    deploy_run_id: runId.nullable(),
    requested_at: timestamp,
  }),
  z.strictObject({ op: z.literal('cancel'), run_id: runId, actor: z.string() }),
  z.strictObject({
    op: z.literal('maintenance'),
    set: z.enum(['on', 'off']),
    reason: z.string().max(200),
    actor: z.string(),
  }),
  /** The body, `size` bytes of JSON (shared/bundle.ts), follows the line on the stream. */
  z.strictObject({
    op: z.literal('store_ship'),
    run_id: runId,
    size: z.number().int().positive(),
    actor: z.string(),
  }),
  /** The secret itself, `size` bytes, follows the line on the stream. */
  z.strictObject({
    op: z.literal('write_secret'),
    connector: connectorName,
    kind: secretKind,
    size: z.number().int().positive().max(maxSecretBytes),
    actor: z.string(),
  }),
])
export type RunnerRequest = z.infer<typeof runnerRequest>

/** The runner's one-line answer to every request but `start` (a run is followed through its folder). */
export const runnerReply = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), detail: z.string() }),
  z.strictObject({ ok: z.literal(false), error_class: z.enum(errorClasses), detail: z.string() }),
])
export type RunnerReply = z.infer<typeof runnerReply>
