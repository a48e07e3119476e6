import { z } from 'zod'
import { errorClasses } from './errors.ts'
import { runId, timestamp } from './ids.ts'
import { proofState } from './proof.ts'
import { remediationIds } from './errors/remediations.ts'
import { checkResult, overall, resultFields } from './result.ts'

export const connectorNames = ['kajabi', 'gmail'] as const
export const connectorName = z.enum(connectorNames)
export type ConnectorName = z.infer<typeof connectorName>

/**
 * `not_configured`: no secret is there · `invalid`: the secret cannot be used, or the peer refused it · `expired`:
 * it was good once · `unreachable`: the peer gave no trustworthy answer, so nothing is known of the secret ·
 * `ready`:
 * the peer accepted it, live.
 */
export const connectorState = z.enum([
  'not_configured',
  'invalid',
  'expired',
  'unreachable',
  'ready',
])
export type ConnectorState = z.infer<typeof connectorState>

/** What one live check of a connector found. Nothing of its secret is in it. */
export const connectorReport = z
  .strictObject({
    name: connectorName,
    mode: z.enum(['storage_state', 'oauth_desktop', 'oauth_device', 'imap']),
    state: connectorState,
    /** null exactly when it is ready. */
    error_class: z.enum(errorClasses).nullable(),
    next_auto_fix: z.enum(remediationIds).nullable(),
    /** One or two sentences for a person. */
    detail: z.string().min(1).max(2000),
    checked_at: timestamp,
    duration_ms: z.number().int().nonnegative(),
  })
  .refine(
    ({ state, error_class, next_auto_fix }) =>
      (state === 'ready') === (error_class === null) &&
      (error_class === null) === (next_auto_fix === null),
    'is ready without a class, or has a class',
  )
export type ConnectorReport = z.infer<typeof connectorReport>

/** What the two request: one report of each connector, in the order of `connectorNames`. */
export const connectorReports = z
  .array(connectorReport)
  .length(connectorNames.length)
  .refine(
    (reports) => reports.every(({ name }, at) => name === connectorNames[at]),
    'does not name each connector once, in order',
  )

/** `artifacts/connectors/<run_id>/connectors.json` and `artifacts/phase0/<run_id>/phase0_result.json`. */
export const connectorsResult = z.strictObject({
  ...resultFields,
  kind: z.enum(['connectors', 'phase0']),
  /** The same as a list of checks: one for each connector. */
  checks: z.array(checkResult),
  /** null: the run ended before it had checked both. */
  connectors: connectorReports.nullable(),
  /** Why it failed, when that is not the state of a connector. */
  detail: z.string().optional(),
})
export type ConnectorsResult = z.infer<typeof connectorsResult>

/** `GET /api/connectors`: what the last check found. Nothing is checked again, and no secret is read. */
export const connectorsReply = z.strictObject({
  /** Both were ready when they were checked. */
  ok: z.boolean(),
  /** The run that checked them, and when it ended; null: no run on this host has. */
  seen: z
    .strictObject({
      run_id: runId,
      action: z.enum(['connectors_status', 'phase0']),
      finished_at: timestamp,
    })
    .nullable(),
  connectors: connectorReports.nullable(),
  last_phase0: z
    .strictObject({
      run_id: runId,
      overall,
      error_class: z.enum(errorClasses).nullable(),
      finished_at: timestamp,
      artifact_dir: z.string(),
      verification: proofState,
    })
    .nullable(),
})
export type ConnectorsReply = z.infer<typeof connectorsReply>
