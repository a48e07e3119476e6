// Under which conditions a review was made: an approval stands again only when none of them changed.
import { uptime } from 'node:os'
import { z } from 'zod'
import { commitId, sha256 } from '#shared/ids'
import { keyId } from '#shared/signature'
import type { OperatorSettings } from '#shared/config'
import { sha256Of } from '#ops/base/sha256'
import { bootId } from '#ops/base/process/process-tree'
import type { KnownCodex } from './codex-start.ts'
import type { ReviewProvider } from './codex-provider.ts'
import type { ReviewDiff } from './review-diff.ts'
import { acceptedProviders } from '#ops/features/ship/state/accepted-providers'
import { frozenOf, keyOf, type ShipFacts } from '#ops/features/ship/state/ship-facts'

const provider = z.strictObject({ id: z.string(), base_url: z.string() })

/** All that must be the same for an approval to stand again, besides the text of the request itself. */
export const reviewConditions = z.strictObject({
  schema_version: z.literal(1),
  /** Real path of the working tree. */
  repository: z.string(),
  project: z.string(),
  /** Digest of the git configuration that says where origin leads. */
  way_sha256: sha256,
  base_sha: commitId,
  head_sha: commitId,
  tree_sha: commitId,
  diff_sha256: sha256,
  /** What was reviewed beside the change; an older HQ left it out. */
  unproven: z
    .array(z.strictObject({ base_sha: commitId, head_sha: commitId, diff_sha256: sha256 }))
    .optional(),
  /** Digest of the gate settings of the base commit. */
  gates_sha256: sha256,
  provider: provider.extend({ env_key: z.string().nullable(), scripted: z.boolean() }),
  accepted_providers: z.array(provider),
  model: z.string(),
  /** The operator's choice of the program; null: the default. */
  cli: z.string().nullable(),
  cli_version: z.string(),
  /** Digest of the program; an older HQ left it out. */
  program_sha256: sha256.optional(),
  key_id: keyId,
  /** When it was requested, in seconds since this boot. Not a condition; an older HQ left it out. */
  asked: z.strictObject({ boot_id: z.string(), uptime_seconds: z.number() }).optional(),
})
export type ReviewConditions = z.infer<typeof reviewConditions>

/** What is reviewed, by whom and through which program. */
export interface ReviewSetting {
  /** With the review as it was before a test of the change ran. */
  readonly settings: OperatorSettings
  readonly provider: ReviewProvider
  readonly program: KnownCodex
}

export function conditionsOf(
  facts: ShipFacts,
  { settings, provider: { id, base_url, env_key, scripted }, program }: ReviewSetting,
  diff: ReviewDiff,
): ReviewConditions {
  const { base, head, tree, gates, originConfig } = frozenOf(facts)
  return {
    schema_version: 1,
    repository: facts.repo,
    project: gates.project,
    way_sha256: sha256Of(originConfig),
    base_sha: base,
    head_sha: head,
    tree_sha: tree,
    diff_sha256: diff.sha256,
    unproven: diff.unproven.map(({ base_sha, head_sha, diff_sha256 }) => ({
      base_sha,
      head_sha,
      diff_sha256,
    })),
    gates_sha256: sha256Of(JSON.stringify(gates)),
    provider: { id, base_url, env_key, scripted },
    accepted_providers: acceptedProviders(settings),
    model: settings.review.model,
    cli: settings.review.codex,
    cli_version: program.version,
    program_sha256: program.sha256,
    key_id: keyOf(facts).id,
    asked: { boot_id: bootId(), uptime_seconds: uptime() },
  }
}
