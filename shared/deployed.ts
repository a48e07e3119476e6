import { z } from 'zod'
import { engineName } from './config/engines.ts'
import { commitId, runId, sha256 } from './ids.ts'

/** A review that a deploy rests on: digests of what origin has of it. */
export const reviewEvidence = z.strictObject({
  commit: commitId,
  /** Of the verdict, to the byte. */
  verdict_sha256: sha256,
  /** Of the envelopes beside it; null: the commit has no such statement. */
  statements: z.strictObject({ review: sha256.nullable(), tests: sha256.nullable() }),
})
export type ReviewEvidence = z.infer<typeof reviewEvidence>

/** `deployed.json` in the proof of a deploy that ended green: what its statements are made of when it is sealed. */
export const deployed = z.strictObject({
  schema_version: z.literal(1),
  run_id: runId,
  project: z.string(),
  branch: z.string(),
  engine: engineName,
  commit: commitId,
  tree: commitId,
  /** It went back to an earlier commit, on purpose. */
  is_rollback: z.boolean(),
  /** SHA-256 over every path and content of the build. */
  build_sha256: sha256,
  /** What runs, as it was verified: an image of a container, or the folder of a process. */
  services: z.array(z.strictObject({ name: z.string(), sha256 })),
  /** Commit of `trust.json` from which on every change must have a verdict. */
  baseline: commitId,
  /** Of `trust.json`, as the deploy read it. */
  trust_sha256: sha256,
  /** From the commit to the baseline, newest first. */
  reviews: z.array(reviewEvidence),
})
export type Deployed = z.infer<typeof deployed>
export const deployedFile = 'deployed.json'
