// Makes the signed verdict of an approval.
import type { VerdictDocument } from '#shared/signature'
import { plural } from '#shared/plural'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import { frozenOf, keyOf, type ShipFacts } from '#ops/features/ship/state/ship-facts'
import type { ReviewOutcome } from './request-review.ts'
import type { ReviewSetting } from './review-bindings.ts'
import type { ReviewDiff } from './review-diff.ts'

export interface Approval {
  readonly diff: ReviewDiff
  readonly outcome: ReviewOutcome
  readonly setting: ReviewSetting
}

/** Binds the approval to commit, tree, base, diff, prompt and reviewer, and signs it with the ship key. */
export function signApproval(
  facts: ShipFacts,
  { diff, outcome, setting }: Approval,
): VerdictDocument {
  const { base, head, tree, gates, flags } = frozenOf(facts)
  const { answer, packets } = outcome
  const { provider, program, settings } = setting
  return signVerdict(
    {
      schema_version: 1,
      verdict_id: `verdict-${facts.runId}`,
      run_id: facts.runId,
      verdict: 'APPROVED',
      repository: gates.project,
      base_sha: base,
      head_sha: head,
      tree_sha: tree,
      diff_sha256: diff.sha256,
      prompt_sha256: outcome.prompt_sha256,
      nonce: outcome.nonce,
      files: [...diff.files],
      unproven: [...diff.unproven],
      findings: answer.findings,
      summary: answer.summary,
      gate_settings_changed: [...gates.changed],
      ...(flags.length === 0 ? {} : { flags: [...flags] }),
      ...(packets === null ? {} : { packets }),
      reviewer: {
        cli: 'codex',
        cli_version: program.version,
        program_sha256: program.sha256,
        model: settings.review.model,
        provider_id: provider.id,
        base_url: provider.base_url,
        scripted: provider.scripted,
      },
      usage: outcome.usage,
      created_at: new Date().toISOString(),
    },
    keyOf(facts),
  )
}

/** One sentence part for the result. */
export function describeApproval(
  { files, unproven = [], findings, packets, reviewer }: VerdictDocument,
  model: string,
): string {
  const below = unproven.reduce((sum, stretch) => sum + stretch.files.length, 0)
  const count =
    plural(files.length, 'file') + (below === 0 ? '' : ` and ${below} not proven before`)
  const parts = packets === undefined ? '' : ` in ${packets.length} parts`
  const notes = findings.length === 0 ? '' : `, ${plural(findings.length, 'note')}`
  return `approved by ${model}${reviewer.scripted ? ', scripted (demo)' : ''}: ${count}${parts}${notes}`
}
