import { z } from 'zod'
import { runId, sha256 } from './ids.ts'
import { proofProblem, proofState } from './proof.ts'

/** Largest ship bundle that hostd takes, in bytes of JSON. */
export const maxBundleBytes = 24 * 1024 * 1024

/** A file name inside a bundle: relative, no dotfile, no `..`. */
export const bundlePath = z
  .string()
  .max(200)
  .regex(
    /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/)*[A-Za-z0-9_][A-Za-z0-9._-]*$/,
    'not a plain relative path',
  )

/** Body of `PUT /api/ship/:run_id`: the files of `artifacts/ship/<run_id>/`. */
export const shipBundle = z.strictObject({
  schema_version: z.literal(1),
  run_id: runId,
  files: z
    .array(
      z.strictObject({
        path: bundlePath,
        size: z.number().int().nonnegative(),
        sha256,
        content_base64: z.base64(),
      }),
    )
    .min(1)
    .max(200),
})
export type ShipBundle = z.infer<typeof shipBundle>

/** What `artifacts/ship/<run_id>/` must hold to count as complete after a PASS. */
export const shipBundleFiles = ['ship_result.json', 'verdict.json', 'events.ndjson'] as const
/** The same for `artifacts/deploy/<run_id>/`. */
export const deployBundleFiles = [
  'deploy_result.json',
  'verify_production.json',
  'dod_result.json',
] as const

export const bundleState = z.strictObject({
  run_id: runId,
  complete: z.boolean(),
  missing: z.array(z.string()),
  /** Is it what was sealed? (shared/proof.ts) */
  verification: proofState,
  /** The first thing that breaks it; absent: none, or the host is of before this field. */
  problem: proofProblem.nullable().optional(),
})
export type BundleState = z.infer<typeof bundleState>
