import { createHash } from 'node:crypto'
import { uptime } from 'node:os'
import { z } from 'zod'
import { commitId, sha256 } from '#shared/ids'
import { keyId } from '#shared/signature'
import type { OperatorSettings } from '#shared/config'
import { bootId } from '#ops/base/process/process-tree'
import type { ReviewProvider } from './codex-provider.ts'
import { acceptedProviders } from './review-base.ts'
import type { ReviewDiff } from './review-diff.ts'
import { frozenOf, keyOf, type Ship } from '#ops/features/ship/state/ship-state'

/** File of the proof that says under which conditions a review was made. */
export const bindingsFile = 'review_bindings.json'

const provider = z.strictObject({ id: z.string(), base_url: z.string() })

/** All that must be the same for an approval to stand again, besides the text of the question itself. */
export const reviewConditions = z.strictObject({
  schema_version: z.literal(1),
  /** Real path of the working tree, the project's name, and a digest of the git configuration that says where origin leads. */
  repository: z.string(),
  project: z.string(),
  way_sha256: sha256,
  base_sha: commitId,
  head_sha: commitId,
  tree_sha: commitId,
  diff_sha256: sha256,
  /** Digest of the gate settings of the base commit. */
  gates_sha256: sha256,
  provider: provider.extend({ env_key: z.string().nullable(), scripted: z.boolean() }),
  accepted_providers: z.array(provider),
  model: z.string(),
  /** The operator's choice of the program; null: the default. */
  cli: z.string().nullable(),
  cli_version: z.string(),
  key_id: keyId,
  /** When it was asked, by a clock that nobody sets: seconds since this boot. No condition; absent in proofs of an older HQ. */
  asked: z.strictObject({ boot_id: z.string(), uptime_seconds: z.number() }).optional(),
})
export type ReviewConditions = z.infer<typeof reviewConditions>

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** @param settings with the review as it was before a test of the change ran */
export function conditionsOf(
  ship: Ship,
  settings: OperatorSettings,
  { id, base_url, env_key, scripted }: ReviewProvider,
  diff: ReviewDiff,
  cliVersion: string,
): ReviewConditions {
  const { base, head, tree, gates, way } = frozenOf(ship)
  return {
    schema_version: 1,
    repository: ship.repo,
    project: gates.project,
    way_sha256: digest(way),
    base_sha: base,
    head_sha: head,
    tree_sha: tree,
    diff_sha256: diff.sha256,
    gates_sha256: digest(JSON.stringify(gates)),
    provider: { id, base_url, env_key, scripted },
    accepted_providers: acceptedProviders(settings),
    model: settings.review.model,
    cli: settings.review.codex,
    cli_version: cliVersion,
    key_id: keyOf(ship).id,
    asked: { boot_id: bootId(), uptime_seconds: uptime() },
  }
}
