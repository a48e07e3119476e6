// The answers to the requests of one review, merged into one.
import type { Problem } from '#shared/errors'
import type { ReviewAnswer, Verdict } from '#shared/verdict'
import type { Prompted } from './prompts.ts'
import type { ReviewDiff } from './review-diff.ts'

export interface Answered extends Prompted {
  readonly answer: ReviewAnswer
  readonly usage: Verdict['usage']
  readonly refused: Problem | null
}

/** Several answers as one about the whole change: each file is named once, the findings are joined. */
export function mergeAnswers(
  answered: readonly Answered[],
  diff: ReviewDiff,
  nonce: string,
): ReviewAnswer {
  const { base_sha, head_sha, tree_sha } = diff.packets[0].bindings
  const count = diff.packets.length
  const approved =
    answered.length === count &&
    answered.every(({ answer, refused }) => refused === null && answer.verdict === 'APPROVED')
  return {
    verdict: approved ? 'APPROVED' : 'CHANGES_REQUESTED',
    base_sha,
    head_sha,
    tree_sha,
    diff_sha256: diff.sha256,
    nonce,
    files_reviewed: [
      ...new Set(
        answered.flatMap(({ packet, answer }) =>
          packet.bindings.files.filter((file) => answer.files_reviewed.includes(file)),
        ),
      ),
    ],
    findings: answered.flatMap(({ answer }) => answer.findings),
    summary: answered
      .map(({ packet, answer }) => `Part ${packet.index} of ${count}: ${answer.summary}`)
      .join('\n'),
  }
}

/** Tokens of all requests together; null when one of them is unknown. */
export const sumUsage = (answered: readonly Answered[]): Verdict['usage'] =>
  answered.reduce<Verdict['usage']>(
    (total, { usage }) =>
      total && usage
        ? {
            input_tokens: total.input_tokens + usage.input_tokens,
            output_tokens: total.output_tokens + usage.output_tokens,
          }
        : null,
    { input_tokens: 0, output_tokens: 0 },
  )
