import { z } from 'zod'
import { commitId, runId, sha256, timestamp } from './ids.ts'

/** One remark of the reviewer. A `blocking` finding never goes with APPROVED. */
export const finding = z.strictObject({
  severity: z.enum(['blocking', 'note']),
  file: z.string(),
  line: z.number().int().nonnegative(),
  title: z.string(),
  body: z.string(),
})
export type Finding = z.infer<typeof finding>

/**
 * What the reviewer must answer, to the letter. The echoed values bind the answer to one diff of one commit
 * (docs/SECURITY.md); a different value anywhere is `review_mismatch`.
 */
export const reviewAnswer = z.strictObject({
  verdict: z.enum(['APPROVED', 'CHANGES_REQUESTED']),
  base_sha: z.string(),
  head_sha: z.string(),
  tree_sha: z.string(),
  diff_sha256: z.string(),
  nonce: z.string(),
  files_reviewed: z.array(z.string()),
  findings: z.array(finding),
  summary: z.string(),
})
export type ReviewAnswer = z.infer<typeof reviewAnswer>

export const reviewedFile = z.strictObject({
  path: z.string(),
  status: z.enum(['added', 'modified', 'deleted', 'renamed', 'copied', 'type_changed']),
  binary: z.boolean(),
  additions: z.number().int(),
  deletions: z.number().int(),
  /** How a binary or generated file was shown to the reviewer, in words; absent: like any other. */
  handling: z.string().optional(),
})
export type ReviewedFile = z.infer<typeof reviewedFile>

/** One question of a review that took several; each was approved. */
export const reviewPacket = z.strictObject({
  index: z.number().int().positive(),
  files: z.array(z.string()),
  diff_sha256: sha256,
  prompt_sha256: sha256,
  nonce: z.string(),
  usage: z
    .strictObject({ input_tokens: z.number().int(), output_tokens: z.number().int() })
    .nullable(),
})
export type ReviewPacket = z.infer<typeof reviewPacket>

/**
 * A stretch of history that was shown to the reviewer beside the change: no verdict that counts had proven it.
 */
export const reviewedStretch = z.strictObject({
  base_sha: commitId,
  head_sha: commitId,
  diff_sha256: sha256,
  files: z.array(reviewedFile),
})
export type ReviewedStretch = z.infer<typeof reviewedStretch>

/**
 * What a verdict says; it is pushed under `refs/openclaw/reviews/<head_sha>` with a signature
 * (shared/signature.ts).
 */
export const verdict = z.strictObject({
  schema_version: z.literal(1),
  verdict_id: z.string(),
  run_id: runId,
  verdict: z.literal('APPROVED'),
  repository: z.string(),
  /**
   * Where origin's branch was: `diff_sha256` and `files` are about what the push changes there. For a commit that was
   * on the branch already it is the commit before it that is proven or in `unproven`; a verdict of an older HQ names
   * the newest proven commit, which may lie before origin's branch.
   */
  base_sha: commitId,
  head_sha: commitId,
  tree_sha: commitId,
  diff_sha256: sha256,
  prompt_sha256: sha256,
  nonce: z.string(),
  files: z.array(reviewedFile),
  /**
   * Stretches below the head that nothing proved before and that this review covers too, oldest first. Empty: all of it
   * was proven. Absent: an older HQ made the verdict.
   */
  unproven: z.array(reviewedStretch).optional(),
  findings: z.array(finding),
  summary: z.string(),
  /** Gate settings of openclaw.config.json that this change alters; they were judged by the base commit's values. */
  gate_settings_changed: z.array(z.string()),
  /** What the reviewer must read with special care: characters that cannot be seen, links, attributes. */
  flags: z.array(z.string()).optional(),
  /**
   * Of a change that went in packets: every changed file is in exactly one. `nonce` is then the SHA-256 over the
   * packets' nonces, one a line.
   */
  packets: z.array(reviewPacket).optional(),
  reviewer: z.strictObject({
    cli: z.string(),
    cli_version: z.string(),
    /** SHA-256 of the program that ran. Absent: an older HQ made the verdict. */
    program_sha256: sha256.optional(),
    model: z.string(),
    provider_id: z.string(),
    base_url: z.string(),
    scripted: z.boolean(),
  }),
  usage: z
    .strictObject({ input_tokens: z.number().int(), output_tokens: z.number().int() })
    .nullable(),
  created_at: timestamp,
})
export type Verdict = z.infer<typeof verdict>

export const reviewRef = (sha: string): string => `refs/openclaw/reviews/${sha}`
