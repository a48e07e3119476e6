import { z } from 'zod'
import { commitId, runId, sha256, timestamp } from './ids.ts'
import { keyId, signature, trustedKey } from './signature.ts'

/** Which folder of `artifacts/` a bundle lies in. */
export const bundleKinds = ['ship', 'deploy', 'dod', 'doctor', 'phase0'] as const
export const bundleKind = z.enum(bundleKinds)
export type BundleKind = z.infer<typeof bundleKind>

export const manifestName = 'manifest.json'
export const tombstoneName = 'tombstone.json'

const part = '[^./\\\\\\u0000-\\u001f\\u007f][^/\\\\\\u0000-\\u001f\\u007f]*'
/** A file of a bundle: relative, `/` between parts, no dotfile, no `..`, no control character. */
export const proofPath = z
  .string()
  .max(400)
  .regex(new RegExp(`^${part}(?:/${part})*$`), 'not a plain relative path')

/** Name of a chain, made when its first bundle is sealed. */
export const chainId = z.string().regex(/^[0-9a-f]{16}$/, 'not a chain id')

export const provenFile = z.strictObject({
  path: proofPath,
  size: z.number().int().nonnegative(),
  sha256,
})
export type ProvenFile = z.infer<typeof provenFile>

/** `manifest.json` of a bundle (docs/SECURITY.md). The signature covers everything else in it. */
export const manifest = z.strictObject({
  type: z.literal('openclaw.manifest'),
  schema_version: z.literal(1),
  kind: bundleKind,
  run_id: runId,
  git_head: commitId.nullable(),
  git_tree: commitId.nullable(),
  created_at: timestamp,
  chain: chainId,
  /** 1 for the first bundle of a chain. */
  counter: z.number().int().positive(),
  /** SHA-256 of the whole manifest file with the counter before this one; null for the first. */
  previous: sha256.nullable(),
  /** Sorted by path. Every file of the folder but this one, tombstone.json and dotfiles. */
  files: z.array(provenFile).min(1).max(20_000),
  signature,
})
export type Manifest = z.infer<typeof manifest>

/**
 * `tombstone.json`: files that were deleted with a signature. Of a sealed bundle it is bound to the manifest by its
 * digest; in the folder of a run, which has no manifest, the digest is null, so that it accounts for nothing of a
 * bundle.
 */
export const tombstone = z.strictObject({
  type: z.literal('openclaw.tombstone'),
  schema_version: z.literal(1),
  run_id: runId,
  manifest_sha256: sha256.nullable(),
  /** `retention`: deleted after its time. `not_uploaded`: too large to be copied to the host. */
  reason: z.enum(['retention', 'not_uploaded']),
  created_at: timestamp,
  files: z.array(provenFile).min(1).max(20_000),
  signature,
})
export type Tombstone = z.infer<typeof tombstone>

/** Where a chain stands. Lies outside of the artifacts, so that a restored copy of them shows. */
export const chainHead = z.strictObject({
  schema_version: z.literal(1),
  chain: chainId,
  key_id: keyId,
  counter: z.number().int().nonnegative(),
  head: sha256.nullable(),
  /** A seal under way: it counts once the manifest in `dir` has this digest. */
  pending: z
    .strictObject({
      dir: z.string(),
      counter: z.number().int().positive(),
      manifest_sha256: sha256,
    })
    .nullable(),
  /** Chains that ended because the key changed. */
  closed: z.array(
    z.strictObject({
      chain: chainId,
      key_id: keyId,
      counter: z.number().int().positive(),
      head: sha256,
    }),
  ),
})
export type ChainHead = z.infer<typeof chainHead>

/**
 * What HQ remembers of a host's chain (`$OPENCLAW_HQ_HOME/witness/<host>.json`), or what a verifier is given about
 * one.
 */
export const witness = z.strictObject({
  schema_version: z.literal(1),
  host: z.string(),
  chain: chainId,
  key_id: keyId,
  counter: z.number().int().positive(),
  head: sha256,
  seen_at: timestamp,
})
export type Witness = z.infer<typeof witness>

/** One bundle as a chain report gives it. */
export const chainLink = z.strictObject({
  counter: z.number().int().positive(),
  kind: bundleKind,
  run_id: runId,
  manifest_sha256: sha256,
  /** Text of manifest.json, byte for byte: what the digest and the signature are of. */
  manifest: z.string().max(8 * 1024 * 1024),
  /** Text of tombstone.json, when retention deleted files of it. */
  tombstone: z
    .string()
    .max(8 * 1024 * 1024)
    .nullable(),
})
export type ChainLink = z.infer<typeof chainLink>

/** Most links in one report. */
export const maxChainLinks = 50

/** What a host says of its chain: the state, and the bundles after the requested counter, oldest first. */
export const chainReport = z.strictObject({
  chain: chainId,
  counter: z.number().int().positive(),
  head: sha256,
  /** The links are all that there are up to this counter: one that is missing below it is not there. */
  until: z.number().int().nonnegative(),
  links: z.array(chainLink).max(maxChainLinks),
})
export type ChainReport = z.infer<typeof chainReport>

/** Everything that can be wrong with a proof. Only the first two leave it `unverified`; the others break it. */
export const proofProblemCodes = [
  'not_sealed',
  'no_key_enrolled',
  'manifest_unreadable',
  'manifest_off_schema',
  'manifest_respelled',
  'signature_invalid',
  'unknown_key',
  'run_mismatch',
  'kind_mismatch',
  'file_missing',
  'file_extra',
  'file_size',
  'file_digest',
  'file_not_regular',
  'folder_unreadable',
  'tombstone_invalid',
  'statement_mismatch',
  'chain_gap',
  'counter_repeated',
  'order_swapped',
  'chain_truncated',
  'head_replaced',
  'chain_replaced',
  'key_changed',
  'witness_damaged',
] as const
export const proofProblemCode = z.enum(proofProblemCodes)
export type ProofProblemCode = z.infer<typeof proofProblemCode>

export const proofProblem = z.strictObject({
  code: proofProblemCode,
  /** The run whose bundle it is about. */
  run_id: z.string().nullable(),
  /** The file inside the bundle it is about. */
  file: z.string().nullable(),
  detail: z.string(),
})
export type ProofProblem = z.infer<typeof proofProblem>

export const proofState = z.enum(['verified', 'unverified', 'broken'])
export type ProofState = z.infer<typeof proofState>

export const bundleVerification = z.strictObject({
  kind: bundleKind.nullable(),
  run_id: z.string(),
  state: proofState,
  problems: z.array(proofProblem),
  chain: chainId.nullable(),
  counter: z.number().int().nullable(),
  manifest_sha256: sha256.nullable(),
  previous: sha256.nullable(),
  key_id: keyId.nullable(),
  created_at: timestamp.nullable(),
  files: z.number().int(),
  /** Files that a signed tombstone accounts for. */
  pruned: z.number().int(),
})
export type BundleVerification = z.infer<typeof bundleVerification>

export const chainVerification = z.strictObject({
  state: proofState,
  /** Problems of the bundles and of the order between them. */
  problems: z.array(proofProblem),
  bundles: z.array(bundleVerification),
})
export type ChainVerification = z.infer<typeof chainVerification>

/** What the witness found wrong. It stays until the operator acknowledges it with a reason. */
export const witnessAlarm = z.strictObject({
  code: proofProblemCode,
  run_id: z.string().nullable(),
  /** Number in the chain of the bundle it is about. */
  counter: z.number().int().positive().nullable(),
  detail: z.string().max(1000),
  raised_at: timestamp,
  last_seen_at: timestamp,
})
export type WitnessAlarm = z.infer<typeof witnessAlarm>

/** What a chain showed when it last contradicted the witness: what an acknowledgement accepts, and nothing else. */
export const shownChain = z.strictObject({
  key: trustedKey.nullable(),
  report: z
    .strictObject({ chain: chainId, counter: z.number().int().positive(), head: sha256 })
    .nullable(),
})
export type ShownChain = z.infer<typeof shownChain>

/** `$OPENCLAW_HQ_HOME/witness/alarms/<host>.json` */
export const witnessAlarms = z.strictObject({
  schema_version: z.literal(1),
  host: z.string(),
  open: z.array(witnessAlarm),
  /** null: it agrees with the witness again. */
  shown: shownChain.nullable(),
  acknowledged: z.array(
    z.strictObject({
      at: timestamp,
      reason: z.string(),
      alarms: z.array(witnessAlarm),
      accepted: shownChain.nullable(),
    }),
  ),
})
export type WitnessAlarms = z.infer<typeof witnessAlarms>

/** `$OPENCLAW_HQ_HOME/witness/seen/<host>/<chain>-<page>.json`: each bundle that the witness has seen and checked. */
export const witnessedLink = chainLink
  .pick({ counter: true, kind: true, run_id: true, manifest_sha256: true })
  .extend({
    /** Files that a signed tombstone accounts for, when it was last verified. */
    pruned: z.number().int().nonnegative(),
    seen_at: timestamp,
  })
export type WitnessedLink = z.infer<typeof witnessedLink>
export const witnessPage = z.strictObject({
  schema_version: z.literal(1),
  host: z.string(),
  chain: chainId,
  links: z.array(witnessedLink),
})

const leavesUnverified: ReadonlySet<ProofProblemCode> = new Set(['not_sealed', 'no_key_enrolled'])

/**
 * @returns `broken` when any problem breaks a proof, `unverified` when something could not be checked, else
 * `verified`
 */
export function stateOf(problems: readonly ProofProblem[]): ProofState {
  if (problems.length === 0) return 'verified'
  return problems.every(({ code }) => leavesUnverified.has(code)) ? 'unverified' : 'broken'
}
