import { z } from 'zod'
import { engineName } from './config/engines.ts'
import { actionIds } from './actions.ts'
import { bundleState } from './bundle.ts'
import { connectorsSummary } from './connectors.ts'
import { errorClasses } from './errors.ts'
import { commitId, runId, sha256, timestamp } from './ids.ts'
import { remediationIds } from './errors/remediations.ts'
import { bundleKind, bundleVerification, chainReport, proofState } from './proof.ts'
import {
  checksResult,
  deployResult,
  dodResult,
  overall,
  projectState,
  shipResult,
  triage,
} from './result.ts'
import { maintenanceFile, run, runStatus } from './run.ts'
import { keyId, trustedKey } from './signature.ts'

export const adminTokenHeader = 'x-openclaw-admin-token'
export const dodRunHeader = 'x-openclaw-dod-run'

/** Every answer that is not a success. `detail` is for people; the class is for programs. */
export const errorBody = z.looseObject({
  ok: z.literal(false),
  error_class: z.enum(errorClasses),
  detail: z.string(),
  next_auto_fix: z.enum(remediationIds),
})
export type ErrorBody = z.infer<typeof errorBody>

/** The 409 of a busy lane: enough to join the active run. */
export const joinableBody = errorBody.extend({
  error_class: z.literal('ALREADY_RUNNING'),
  action: z.enum(actionIds),
  active_run_id: runId,
  started_at: timestamp,
})
export type JoinableBody = z.infer<typeof joinableBody>

export const healthReply = z.strictObject({
  ok: z.literal(true),
  version: z.string(),
  uptime_seconds: z.number().int().nonnegative(),
  time: timestamp,
})

export const execRequest = z.strictObject({
  action: z.string().max(100),
  params: z.record(z.string(), z.unknown()).optional(),
})
export const execReply = z.strictObject({ ok: z.literal(true), run_id: runId, status: runStatus })

export const runsQuery = z.strictObject({
  id: runId.optional(),
  /** Run id to continue after (newest first). */
  cursor: runId.optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
  action: z.enum(actionIds).optional(),
  status: runStatus.optional(),
})
export const runsReply = z.strictObject({
  ok: z.literal(true),
  runs: z.array(run),
  next_cursor: runId.nullable(),
})
export const runReply = z.strictObject({
  ok: z.literal(true),
  run: run.extend({
    /** The result document, once the run has ended; its kind depends on the action. */
    result: z.looseObject({}).nullable(),
  }),
})
export type RunDetail = z.infer<typeof runReply>['run']

export const cancelReply = z.strictObject({ ok: z.literal(true), run_id: runId, status: runStatus })

/** `ok` is computed: true only when there is a last result and it is a PASS. */
const lastReply = <T extends z.ZodType>(result: T) =>
  z.strictObject({
    ok: z.boolean(),
    run_id: runId.nullable(),
    overall: overall.nullable(),
    result: result.nullable(),
    artifact_dir: z.string().nullable(),
  })
export const dodLastReply = lastReply(dodResult)
export const deployLastReply = lastReply(deployResult).extend({ triage: triage.nullable() })
export const shipLastReply = lastReply(shipResult).extend({ verification: proofState.nullable() })

export const maintenanceState = z.strictObject({
  on: z.boolean(),
  /** Why it counts as on, when the file cannot be read. */
  unreadable: z.string().nullable(),
  file: maintenanceFile.nullable(),
})
export type MaintenanceState = z.infer<typeof maintenanceState>
export const maintenanceReply = z.strictObject({
  ok: z.literal(true),
  maintenance: maintenanceState,
})
export const maintenanceRequest = z.strictObject({ reason: z.string().min(1).max(200) })

export const projectStateReply = z.strictObject({
  ok: z.boolean(),
  state: projectState.nullable(),
  unreadable: z.string().nullable(),
})

export const artifactEntry = z.strictObject({
  name: z.string(),
  type: z.enum(['file', 'directory']),
  size: z.number().int().nonnegative().nullable(),
})
export const artifactsReply = z.strictObject({
  ok: z.literal(true),
  path: z.string(),
  entries: z.array(artifactEntry),
})

export const shipStoredReply = z.strictObject({
  ok: z.literal(true),
  run_id: runId,
  stored: z.enum(['created', 'unchanged']),
  verification: proofState,
})

/** `GET /api/proof/chain`: the host's own chain, for a witness. `after`: the number the witness has seen, 0 for all. */
export const proofChainQuery = z.strictObject({ after: z.coerce.number().int().min(0).optional() })
export const proofChainReply = z.strictObject({
  ok: z.literal(true),
  /** Public half of the key that this host signs with; null before its first seal. */
  key: trustedKey.nullable(),
  /** null: nothing was ever sealed here. */
  report: chainReport.nullable(),
})

/** Most problems of one bundle that are listed. */
export const maxListedProblems = 20
/** `GET /api/proof/bundles`: what the host finds when it reads its bundles, newest first. */
export const proofBundlesQuery = z.strictObject({
  /** Run id to continue after. */
  cursor: runId.optional(),
  limit: z.coerce.number().int().min(1).max(50).optional(),
  kind: bundleKind.optional(),
})
export const proofBundlesReply = z.strictObject({
  ok: z.literal(true),
  bundles: z.array(bundleVerification),
  next_cursor: runId.nullable(),
})
/** `GET /api/proof/export`: the statements of one bundle, for programs that know nothing of HQ. */
export const proofExportQuery = z.strictObject({ kind: bundleKind, run_id: runId })
export const proofExportReply = z.strictObject({
  ok: z.literal(true),
  /** JSON Lines: one envelope a line, and the public keys in the last one. */
  text: z.string(),
  statements: z.array(
    z.strictObject({ from: z.string(), predicate_type: z.string(), key_id: keyId, sha256 }),
  ),
})
export type ProofBundlesReply = z.infer<typeof proofBundlesReply>

/** `GET /api/trust`: whose verdicts and ships this host trusts. `label` is null for keys that stand in trust.json. */
export const trustReply = z.strictObject({
  ok: z.literal(true),
  ship_keys: z.array(
    z.strictObject({ id: keyId, label: z.string().nullable(), enrolled_at: timestamp.nullable() }),
  ),
})
export type TrustReply = z.infer<typeof trustReply>

/** A document that is there, or was sealed, and cannot be read: what it would say is not known. */
export const unreadableDocument = z.strictObject({
  kind: z.enum(['ship', 'deploy', 'doctor', 'dod', 'state', 'serving']),
  /** The run it is the result of. */
  run_id: runId.nullable(),
  file: z.string(),
  detail: z.string(),
})
export type UnreadableDocument = z.infer<typeof unreadableDocument>

/** `GET /api/status`: one call for the Overview. */
export const statusReply = z.strictObject({
  ok: z.literal(true),
  host: z.strictObject({
    name: z.string(),
    version: z.string(),
    time: timestamp,
    engine: engineName.nullable(),
    timers: z.enum(['none', 'systemd']),
    serving: commitId.nullable(),
  }),
  state: projectState.nullable(),
  maintenance: maintenanceState,
  last_ship: shipLastReply,
  last_deploy: deployLastReply,
  last_dod: dodLastReply,
  last_doctor: checksResult.nullable(),
  last_guard: checksResult.nullable(),
  last_port_audit: checksResult.nullable(),
  /** Absent: the host is of before the self-test. */
  last_selftest: checksResult.nullable().optional(),
  /** null: they were never checked; absent: the host is of before this field. */
  connectors: connectorsSummary.nullable().optional(),
  bundles: z.strictObject({ ship: bundleState.nullable(), deploy: bundleState.nullable() }),
  /** Documents that are there and cannot be read; absent: the host is of before this field. */
  unreadable: z.array(unreadableDocument).optional(),
  active_runs: z.array(run),
  /** Deploys and rollbacks, newest first. */
  recent_deploys: z.array(run),
})
export type StatusReply = z.infer<typeof statusReply>
