import { z } from 'zod'
import { artifactsReply, runReply, runsQuery, runsReply, statusReply } from './api.ts'
import { actionIds } from './actions.ts'
import { nothing, procedure } from './bridge-procedure.ts'
import { connectorProcedures } from './connect-procedures.ts'
import { connectFlow, connecting } from './connect-flow.ts'
import { connectorsReply } from './connectors.ts'
import { errorClasses } from './errors.ts'
import { evidence, evidenceContent, evidencePlace } from './evidence.ts'
import { hostConnection, hostSummary } from './host-connection.ts'
import { hostProcedures } from './host-procedures.ts'
import { commitId, runId, timestamp } from './ids.ts'
import {
  bundleKind,
  bundleVerification,
  proofProblem,
  proofProblemCode,
  proofState,
  witnessAlarm,
  witnessedLink,
} from './proof.ts'
import { remediationIds } from './errors/remediations.ts'
import { shipResult } from './result.ts'
import { signatureState, verdictDocument } from './signature.ts'
import { finding } from './verdict.ts'

/**
 * The bridge: every procedure the renderer may call. Three transports carry it: Electron IPC, the loopback
 * HTTP of `hq serve`, and in the console hostd's own API. The renderer never sees a token, a path outside the
 * repository, or a shell.
 */

export const repositoryState = z.strictObject({
  name: z.string(),
  branch: z.string().nullable(),
  head: commitId.nullable(),
  subject: z.string().nullable(),
  /** origin/main as last fetched. */
  remote: commitId.nullable(),
  ahead: z.number().int().nonnegative(),
  behind: z.number().int().nonnegative(),
  dirty_files: z.number().int().nonnegative(),
  next_action: z.string().nullable(),
  /** Why Ship cannot be pressed; null when it can. Shown on the button. */
  ship_blocked: z.string().nullable(),
})
export type RepositoryState = z.infer<typeof repositoryState>

export const shipSummary = z.strictObject({
  run_id: runId,
  active: z.boolean(),
  /** Step a running ship is in. */
  step: z.string().nullable(),
  /** Commit that a running ship ships, once it holds the lock of the repository. */
  commit: commitId.nullable().optional(),
  result: shipResult.nullable(),
})
export type ShipSummary = z.infer<typeof shipSummary>

/** An expected failure as it crosses the bridge. Anything else crosses as `internal_error`. */
export const bridgeProblem = z.strictObject({
  error_class: z.enum(errorClasses),
  message: z.string(),
  next_auto_fix: z.enum(remediationIds),
})
export type BridgeProblem = z.infer<typeof bridgeProblem>

/** A cancel that this HQ requested, of a run whose end is not known yet. */
export const cancelView = z.strictObject({
  source: z.enum(['host', 'ship']),
  run_id: runId,
  asked_at: timestamp,
  /** Why the request failed; null while it is under way. */
  problem: bridgeProblem.nullable(),
})
export type CancelView = z.infer<typeof cancelView>

/** What laptop and host know now. What it means is worked out in one place: `shared/state/state.ts`. */
export const overview = z.strictObject({
  /** Where it was gathered. The console on the host has no repository, no settings and no witness. */
  place: z.enum(['laptop', 'console']),
  connection: hostConnection,
  /** Every enrolled host in short, the selected one included; absent in the console. */
  hosts: z.array(hostSummary).optional(),
  repository: repositoryState.nullable(),
  /** The running ship, else the newest. */
  ship: shipSummary.nullable(),
  /** The laptop's own result that counts for the head of the repository. */
  ship_result: shipResult.nullable(),
  /** What the laptop finds when it reads the proof of that ship again; null when there is none here. */
  ship_proof: z
    .strictObject({ run_id: runId, state: proofState, problem: proofProblem.nullable() })
    .nullable(),
  /** Last status of the host, perhaps stale: see `connection.as_of`. */
  status: statusReply.nullable(),
  /** The deploy that HQ follows: its step, and its commit once its checkout has passed. */
  deploy: z
    .strictObject({ run_id: runId, step: z.string().nullable(), commit: commitId.nullable() })
    .nullable(),
  /** Median duration of recent passed steps, milliseconds, by `<action>/<step>` and `<action>`. */
  usual_ms: z.record(z.string(), z.number()),
  upload: z.strictObject({ queued: z.number().int(), detail: z.string().nullable() }),
  /** What the witness found wrong and nobody has acknowledged; absent where there is no witness. */
  proof_alarms: z.array(z.strictObject({ who: z.string(), detail: z.string() })).optional(),
  /** Connectors that this laptop is connecting; absent where that cannot be done. */
  connecting: z.array(connecting).optional(),
  /** Absent in the console: there the host alone says what is being cancelled. */
  cancels: z.array(cancelView).optional(),
})
export type Overview = z.infer<typeof overview>

export const shipDetail = z.strictObject({
  summary: shipSummary,
  verdict: verdictDocument.nullable(),
  /** What this laptop's key says of the verdict; null without one. */
  signature: signatureState.nullable(),
  /** What the reviewer said when it was not an approval. */
  findings: z.array(finding),
  /** Unified diff that was reviewed, or the head of it. */
  diff: z.string().nullable(),
  /** Paths of the reviewed change, once there is a verdict: also those that the head of the diff does not reach. */
  files: z.array(z.string()),
})
export type ShipDetail = z.infer<typeof shipDetail>

/** What one side finds when it reads a bundle. */
const foundBundle = bundleVerification.pick({
  state: true,
  problems: true,
  files: true,
  pruned: true,
  counter: true,
  key_id: true,
  manifest_sha256: true,
  created_at: true,
})
/** One line of the Proofs page. */
export const proofRow = z.strictObject({
  kind: bundleKind,
  run_id: runId,
  /** The run has not ended, so nothing is sealed yet. */
  running: z.boolean(),
  /** As it is on this laptop; null when it is not here. */
  laptop: foundBundle.nullable(),
  /** As the host finds it, or found it when it last answered. */
  host: foundBundle.nullable(),
  /** `same`: is it still the one that was seen? null when that cannot be compared now. */
  witnessed: witnessedLink
    .pick({ counter: true, seen_at: true, pruned: true })
    .extend({ same: z.boolean().nullable() })
    .nullable(),
})
export type ProofRow = z.infer<typeof proofRow>

/** What the laptop remembers of one chain, and what it found wrong with it. */
export const witnessView = z.strictObject({
  id: z.string(),
  place: z.enum(['host', 'laptop']),
  title: z.string(),
  key_id: z.string().nullable(),
  seen: z
    .strictObject({
      chain: z.string(),
      counter: z.number().int(),
      head: z.string(),
      seen_at: timestamp,
    })
    .nullable(),
  /** When it was last read since HQ started, and why the last attempt failed. */
  looked_at: timestamp.nullable(),
  problem: z.string().nullable(),
  open: z.array(witnessAlarm),
  /** Key that the chain shows now; acknowledging trusts it. */
  shown_key_id: z.string().nullable(),
  acknowledged: z.array(
    z.strictObject({
      at: timestamp,
      reason: z.string(),
      alarms: z.array(z.strictObject({ code: proofProblemCode, detail: z.string() })),
    }),
  ),
})
export type WitnessView = z.infer<typeof witnessView>

export const appInfo = z.strictObject({
  mode: z.enum(['desktop', 'serve', 'console']),
  version: z.string(),
  platform: z.string(),
  /** False in the console: no ship, no settings. */
  operator: z.boolean(),
  /** True in the local demo. */
  demo: z.boolean(),
})
export type AppInfo = z.infer<typeof appInfo>

export const settingsView = z.strictObject({
  repository: z.string().nullable(),
  host: z.strictObject({ name: z.string(), url: z.string(), token_set: z.boolean() }).nullable(),
  theme: z.enum(['system', 'light', 'dark']),
  keystore: z.enum(['os', 'file', 'none']),
  /** Most repairs of one ship, 0 when the switch is off; and who makes them. */
  until_green: z.strictObject({ repairs: z.number().int(), implementer: z.string() }),
  review: z.strictObject({
    model: z.string(),
    provider: z.string(),
    providers: z.array(
      z.strictObject({
        id: z.string(),
        label: z.string(),
        base_url: z.string(),
        scripted: z.boolean(),
        credential: z.enum(['present', 'missing']),
      }),
    ),
  }),
})
export type SettingsView = z.infer<typeof settingsView>

/** The ship key of this laptop: its public half, where its private half is, and whether the host trusts it. */
export const shipKeyView = z.strictObject({
  key: z.strictObject({ id: z.string(), public_key: z.string() }).nullable(),
  kept: z.enum(['os', 'file', 'none']),
  /** Where the private half could go instead. */
  can_move: z.enum(['os', 'file']).nullable(),
  keystore: z.enum(['os', 'file', 'none']),
  /** `enrolled`: null when the host cannot be reached now. */
  host: z
    .strictObject({
      name: z.string(),
      enrolled: z.boolean().nullable(),
      detail: z.string().nullable(),
      others: z.array(
        z.strictObject({
          id: z.string(),
          label: z.string().nullable(),
          enrolled_at: timestamp.nullable(),
        }),
      ),
      /** Since when the host trusts this laptop's key; a key of trust.json has no date. */
      enrolled_at: timestamp.nullable().optional(),
    })
    .nullable(),
})
export type ShipKeyView = z.infer<typeof shipKeyView>

/** The connectors: what the host found last, and the attempts of this laptop. */
export const connectorsView = z.strictObject({
  /** Its last answer; null: there is none. */
  host: connectorsReply.nullable(),
  /** When the host gave that answer. */
  as_of: timestamp.nullable(),
  /** Why the host gives no answer now; null: it does. */
  problem: bridgeProblem.nullable(),
  /** The newest attempt of each connector since HQ started. */
  flows: z.array(connectFlow),
  /** Optional fields of the forms that HQ has a value for, as `<connector>.<field>`. */
  kept: z.array(z.string()),
})
export type ConnectorsView = z.infer<typeof connectorsView>

export const procedures = {
  'app.info': procedure(nothing, appInfo),
  'overview.get': procedure(nothing, overview),
  'ship.start': procedure(nothing, z.strictObject({ run_id: runId, joined: z.boolean() })),
  'ship.cancel': procedure(
    z.strictObject({ run_id: runId }),
    z.strictObject({ ok: z.literal(true) }),
  ),
  'ship.list': procedure(nothing, z.strictObject({ ships: z.array(shipSummary) })),
  'ship.get': procedure(z.strictObject({ run_id: runId }), shipDetail),
  'host.exec': procedure(
    z.strictObject({
      action: z.enum(actionIds),
      params: z.record(z.string(), z.unknown()).optional(),
    }),
    z.strictObject({ run_id: runId, joined: z.boolean() }),
  ),
  'host.runs': procedure(runsQuery.omit({ id: true }), runsReply),
  'host.run': procedure(z.strictObject({ run_id: runId }), runReply),
  'host.cancel': procedure(
    z.strictObject({ run_id: runId }),
    z.strictObject({ ok: z.literal(true) }),
  ),
  'host.artifacts': procedure(z.strictObject({ path: z.string().max(400) }), artifactsReply),
  'proofs.list': procedure(
    z.strictObject({ cursor: runId.optional() }),
    z.strictObject({
      witnesses: z.array(witnessView),
      bundles: z.array(proofRow),
      next_cursor: runId.nullable(),
      /** Whose bundles are in it, as of when, and why it could not be read now. */
      host: z
        .strictObject({
          name: z.string(),
          as_of: timestamp.nullable(),
          detail: z.string().nullable(),
        })
        .nullable(),
    }),
  ),
  /** The files of one run, and what is wrong with its proof. */
  'proofs.evidence': procedure(evidencePlace, evidence),
  'proofs.file': procedure(evidencePlace.extend({ path: z.string().max(400) }), evidenceContent),
  /** The statements of a proof in one text, `RUN_ID.intoto.jsonl` (docs/STATEMENTS.md). */
  'proofs.export': procedure(evidencePlace, z.strictObject({ text: z.string() })),
  'proofs.check': procedure(nothing, z.strictObject({ ok: z.literal(true) })),
  'proofs.acknowledge': procedure(
    z.strictObject({
      id: z.string().max(1100),
      reason: z.string().trim().min(3).max(500),
      /** What the person saw: refused when more was found, or another key is shown, by now. */ saw: z
        .strictObject({ open: z.number().int().nonnegative(), shown_key_id: z.string().nullable() })
        .optional(),
    }),
    z.strictObject({ ok: z.literal(true) }),
  ),
  /** `commit`: as a separate commit, so that the next ship holds it; else it is left in the working tree. */
  'next.set': procedure(
    z.strictObject({ text: z.string().trim().min(1).max(500), commit: z.boolean().optional() }),
    z.strictObject({ ok: z.literal(true) }),
  ),
  'connectors.get': procedure(nothing, connectorsView),
  ...connectorProcedures,
  ...hostProcedures,
  'ship_key.get': procedure(nothing, shipKeyView),
  'ship_key.move': procedure(
    z.strictObject({ to: z.enum(['os', 'file']) }),
    z.strictObject({ ok: z.literal(true) }),
  ),
  /** `id`: the key that was shown; null when it is made by this. */
  'ship_key.enrol': procedure(
    z.strictObject({ id: z.string().nullable() }),
    z.strictObject({ run_id: runId, joined: z.boolean() }),
  ),
  'settings.get': procedure(nothing, settingsView),
  'settings.set_host': procedure(
    z.strictObject({
      name: z.string().trim().min(1).max(100),
      url: z.url(),
      token: z.string().min(1).max(400).optional(),
    }),
    settingsView,
  ),
  'settings.set_repository': procedure(
    z.strictObject({ path: z.string().min(1).max(1000) }),
    settingsView,
  ),
  'settings.set_theme': procedure(
    z.strictObject({ theme: z.enum(['system', 'light', 'dark']) }),
    settingsView,
  ),
  'settings.set_until_green': procedure(
    z.strictObject({ repairs: z.number().int().min(0).max(10) }),
    settingsView,
  ),
  'settings.set_review': procedure(
    z.strictObject({ provider: z.string(), model: z.string().trim().min(1).max(100) }),
    settingsView,
  ),
} as const

export type ProcedureName = keyof typeof procedures
export type Input<P extends ProcedureName> = z.input<(typeof procedures)[P]['input']>
export type Output<P extends ProcedureName> = z.output<(typeof procedures)[P]['output']>
export const isProcedure = (name: string): name is ProcedureName => Object.hasOwn(procedures, name)

/**
 * The live log of one run. `after` is the last number already seen; the stream goes on without gap or repeat and
 * ends with the run.
 */
export const eventsRequest = z.strictObject({
  source: z.enum(['host', 'ship']),
  run_id: runId,
  after: z.number().int().nonnegative(),
})
export type EventsRequest = z.infer<typeof eventsRequest>

export const bridgeReply = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ ok: z.literal(false), problem: bridgeProblem }),
])
export type BridgeReply = z.infer<typeof bridgeReply>

/** What the preload exposes as `window.openclaw`, and what the other transports imitate. */
export interface BridgeTransport {
  /** @param shown address of the host that the page shows (shared/shown-host.ts); null: none */
  call(name: ProcedureName, input: unknown, shown: string | null): Promise<BridgeReply>
  /** Calls `onEvents` with batches of numbered events (shared/events.ts), then `onEnd` once. Returns how to stop. */
  events(
    request: EventsRequest,
    onEvents: (events: readonly unknown[]) => void,
    onEnd: (problem: BridgeProblem | null) => void,
  ): () => void
}
