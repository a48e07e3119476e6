import { z } from 'zod'
import { connectorModes, connectorNames, type ConnectorName } from './connectors/list.ts'
import { errorClasses, Problem } from './errors.ts'
import { runId, timestamp } from './ids.ts'
import { proofState } from './proof.ts'
import { harvestSummary, librarySummary } from './phase0.ts'
import { remediationIds } from './errors/remediations.ts'
import { checkResult, overall, resultFields } from './result.ts'

export const connectorName = z.enum(connectorNames)

/**
 * `not_configured`: no secret is there · `invalid`: the secret cannot be used, or the peer refused it · `expired`:
 * it was good once · `unreachable`: the peer gave no trustworthy answer, so nothing is known of the secret ·
 * `ready`: the peer accepted it, live.
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
    mode: z.enum(connectorModes),
    state: connectorState,
    /** null exactly when it is ready. */
    error_class: z.enum(errorClasses).nullable(),
    next_auto_fix: z.enum(remediationIds).nullable(),
    /** One or two sentences for a person. */
    detail: z.string().min(1).max(2000),
    checked_at: timestamp,
    duration_ms: z.number().int().nonnegative(),
    /** Whose account it is, as the peer names it; absent or null: not known. */
    account: z.string().max(320).nullable().optional(),
    /** When the secret ends by itself; absent or null: not known, or never. */
    expires_at: timestamp.nullable().optional(),
  })
  .refine(
    ({ state, error_class, next_auto_fix }) =>
      (state === 'ready') === (error_class === null) &&
      (error_class === null) === (next_auto_fix === null),
    'must have an error class exactly when it is not ready',
  )
export type ConnectorReport = z.infer<typeof connectorReport>

/** What a check of these connectors finds: one report of each, in their order. */
export const connectorReportsOf = (names: readonly ConnectorName[]) =>
  z
    .array(connectorReport)
    .length(names.length)
    .refine(
      (reports) => reports.every(({ name }, at) => name === names[at]),
      'does not name each connector once, in order',
    )

/** The same as it was stored: some of the connectors, in the order of `connectorNames`. */
const storedReports = z
  .array(connectorReport)
  .min(1)
  .refine((reports) => {
    const at = reports.map(({ name }) => connectorNames.indexOf(name))
    return at.every((position, index) => index === 0 || position > (at[index - 1] ?? -1))
  }, 'names a connector twice or out of order')

/** Are all of these connectors ready? One that the reports do not name is not. */
export const allReady = (
  names: readonly ConnectorName[],
  reports: readonly ConnectorReport[],
): boolean =>
  names.every((name) => reports.some((report) => report.name === name && report.state === 'ready'))

/** `artifacts/connectors/<run_id>/connectors.json` and `artifacts/phase0/<run_id>/phase0_result.json`. */
export const connectorsResult = z.strictObject({
  ...resultFields,
  kind: z.enum([
    'connectors',
    'phase0',
    'connector_start',
    'connector_status',
    'connector_finalize',
    'connector_revoke',
  ]),
  /** The same as a list of checks: one for each connector. */
  checks: z.array(checkResult),
  /** How the connectors are now; null: the run ended before it had checked them, or checks none. */
  connectors: storedReports.nullable(),
  /** What Phase 0 collected; absent: it did not get that far, or is of an older HQ. */
  library: librarySummary.optional(),
  harvest: harvestSummary.optional(),
  /** Why it failed, when that is not the state of a connector; or what is waited for. */
  detail: z.string().optional(),
})
export type ConnectorsResult = z.infer<typeof connectorsResult>

/** What the host knows of one connector beside its last check. */
export const connectorDetail = z.strictObject({
  name: connectorName,
  /** The way in which the host signs in, by its settings. */
  mode: z.enum(connectorModes),
  /** Its object in host.json, for the laptop that connects it; absent: the host is of before this field. */
  settings: z.looseObject({}).optional(),
  /** A new secret lies beside the one in use and is not proved yet; null: none does. */
  candidate: z.strictObject({ kind: z.string(), stored_at: timestamp }).nullable(),
  /** Its last checks, newest first. */
  history: z
    .array(
      z.strictObject({
        run_id: runId,
        checked_at: timestamp,
        state: connectorState,
        error_class: z.enum(errorClasses).nullable(),
      }),
    )
    .max(10),
})
export type ConnectorDetail = z.infer<typeof connectorDetail>

/** The connectors in `GET /api/status`: as the last check found them. */
export const connectorsSummary = z.strictObject({
  run_id: runId,
  checked_at: timestamp,
  connectors: z.array(
    z.strictObject({
      name: connectorName,
      state: connectorState,
      expires_at: timestamp.nullable(),
    }),
  ),
})
export type ConnectorsSummary = z.infer<typeof connectorsSummary>

/** `GET /api/connectors`: what the last check found. Nothing is checked again, and no secret is read. */
export const connectorsReply = z.strictObject({
  /** All that this host uses were ready when they were checked. */
  ok: z.boolean(),
  /** The run that checked them, and when it ended; null: no run on this host has. */
  seen: z
    .strictObject({
      run_id: runId,
      action: z.enum([
        'connectors_status',
        'phase0',
        'connector_start',
        'connector_status',
        'connector_finalize',
        'connector_revoke',
      ]),
      finished_at: timestamp,
    })
    .nullable(),
  connectors: storedReports.nullable(),
  /** Of each connector; absent: the host is of before this field. */
  details: z.array(connectorDetail).optional(),
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

/** Largest secret of a connector, in bytes. A captured login is a few dozen KiB. */
export const maxSecretBytes = 1024 * 1024

/** @throws {Problem} `body_too_large`; the sender asks as well, as an answer to a body that is cut off may get lost */
export function refuseLargeSecret(bytes: number): void {
  if (bytes > maxSecretBytes)
    throw new Problem(
      'body_too_large',
      `The secret has ${bytes} bytes, more than ${maxSecretBytes}. Nothing was stored.`,
    )
}

/** Which secret of a connector: one of the `secrets` in its row. */
export const secretKind = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'is not a kind of secret')

/** `PUT /api/connectors/:name/secret`: it lies on the host, beside the one in use, and is not proved yet. */
export const secretStoredReply = z.strictObject({
  ok: z.literal(true),
  name: connectorName,
  kind: z.string(),
})
