import { z } from 'zod'
import { commitId, sha256 } from './ids.ts'
import { keyId, signature } from './signature.ts'
import { reviewRef } from './verdict.ts'

// in-toto Statements v1 in DSSE envelopes (docs/STATEMENTS.md).

/** Payload type of every envelope that HQ makes. */
export const statementPayload = 'application/vnd.in-toto+json'
export const statementType = 'https://in-toto.io/Statement/v1'

/** What a statement claims. The two names that begin with `urn:` are HQ's own. */
export const predicateTypes = {
  review: 'urn:openclaw-hq:review:v1',
  tests: 'https://in-toto.io/attestation/test-result/v0.1',
  files: 'urn:openclaw-hq:sealed-files:v1',
  provenance: 'https://slsa.dev/provenance/v1',
  verification: 'https://slsa.dev/verification_summary/v1',
} as const
export type StatementKind = keyof typeof predicateTypes
export const statementKinds = Object.keys(predicateTypes) as StatementKind[]

/** The file of a bundle that holds a statement: one envelope, in one line. */
export const statementFile = (kind: StatementKind): string => `${kind}.intoto.jsonl`
export const statementFiles: ReadonlySet<string> = new Set(statementKinds.map(statementFile))

/** Statements about a commit that a ship pushes beside its verdict. */
export const pushedStatements = ['review', 'tests'] as const satisfies readonly StatementKind[]
export type PushedStatement = (typeof pushedStatements)[number]

/** Prefix of every ref that names the envelope of a statement. */
export const statementRefs = 'refs/openclaw/statements/'
export const statementRef = (kind: PushedStatement, commit: string): string =>
  `${statementRefs}${kind}/${commit}`

/** What a fetch brings of both: every verdict and every statement of origin, and none that origin does not have. */
export const evidenceRefspecs: readonly string[] = [reviewRef('*'), `${statementRefs}*`].map(
  (refs) => `+${refs}:${refs}`,
)

/** Digests of one artifact, as in-toto names them: `gitCommit` and `gitTree` are of git objects. */
const digestSet = z.strictObject({
  gitCommit: commitId.optional(),
  gitTree: commitId.optional(),
  gitBlob: commitId.optional(),
  sha256: sha256.optional(),
})

export const resource = z.strictObject({
  name: z.string().optional(),
  uri: z.string().optional(),
  digest: digestSet.optional(),
  annotations: z.record(z.string(), z.unknown()).optional(),
})
export type Resource = z.infer<typeof resource>

export const statement = z.strictObject({
  _type: z.literal(statementType),
  subject: z.array(resource.extend({ digest: digestSet })).min(1),
  predicateType: z.string().min(1),
  predicate: z.record(z.string(), z.unknown()),
})
export type Statement = z.infer<typeof statement>

/**
 * An envelope as HQ makes and reads it. DSSE allows more: several signatures, other payloads, no key id. HQ reads
 * only what it has written, so that nothing in an envelope goes unread.
 */
export const envelope = z.strictObject({
  payloadType: z.literal(statementPayload),
  payload: z.base64(),
  signatures: z.array(z.strictObject({ keyid: keyId, sig: signature.shape.value })).length(1),
})
export type Envelope = z.infer<typeof envelope>
