// Is a commit covered by review verdicts, link by link, back to the baseline?
import type { ReviewEvidence } from '#shared/deployed'
import type { VerdictDocument } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { isAncestor, listAncestors } from '#ops/platform/git/commits'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { listRefs } from '#ops/platform/git/refs'
import { pathBetween, ReviewGraph, type ReviewedHistory } from './review-graph.ts'
import type { Refusal, VerdictTrust } from './verdict-link.ts'

export type { AcceptedProvider } from './verdict-link.ts'

export interface ChainQuestion extends VerdictTrust {
  /** Commit from which on every change needs a verdict. */
  readonly baseline: string
}

/** A question about one commit. */
export interface TargetQuestion extends ChainQuestion {
  /** Full commit id. */
  readonly target: string
  /**
   * An ancestor of the target that was accepted before: what the target does to it must have been in a review too, so
   * that a review which started before it cannot hide that it is undone. Null: there is none.
   */
  readonly accepted?: string | null
}

export type ChainAnswer =
  | {
      readonly proven: true
      /** Newest first; empty when the target is the baseline itself. */ readonly chain: readonly VerdictDocument[]
      /** Of each verdict of the chain. */ readonly evidence: readonly ReviewEvidence[]
    }
  | ({
      readonly proven: false
      /** The commit without a good verdict. */ readonly commit: string
    } & Refusal)

/**
 * Is `target` covered by verdicts, link by link, back to the baseline? Each verdict must be about this
 * commit, its tree and the diffs that it covers, come from an accepted provider, be signed by an enrolled key if there
 * is any, and rest on a base that is itself proven. A commit that was accepted before must be on such a way as well.
 * Reads only the local repository.
 */
export function walkVerdicts(question: TargetQuestion): Promise<ChainAnswer> {
  return withNeutralGit(
    question.repo,
    (neutral) => walk(new ReviewGraph(question, neutral), question),
    question.git,
  )
}

async function walk(graph: ReviewGraph, question: TargetQuestion): Promise<ChainAnswer> {
  const { target, baseline, accepted = null } = question
  const history = await graph.below(target, new Set([baseline]))
  const path = pathBetween(history, target, baseline)
  if (path === null) return { proven: false, ...firstRefusal(history) }
  if (accepted !== null && pathBetween(history, target, accepted) === null)
    return { proven: false, ...(await passedOver(path, accepted, question)) }
  return {
    proven: true,
    chain: [...new Set(path.map(({ verdict }) => verdict))],
    evidence: [...new Set(path.map(({ evidence }) => evidence))],
  }
}

/** The first commit from which nothing leads further down, and why. */
function firstRefusal({ ranges, refusals }: ReviewedHistory): Refusal & { commit: string } {
  for (const [commit, refusal] of refusals) if (!ranges.has(commit)) return { commit, ...refusal }
  throw new Error('a walk of verdicts ended at no commit') // every range leads to an older commit
}

/** The verdict whose review started before the accepted commit although it is about a later one. */
async function passedOver(
  path: readonly { readonly base_sha: string; readonly head_sha: string }[],
  accepted: string,
  { repo, target, git = {} }: TargetQuestion,
): Promise<Refusal & { commit: string }> {
  let commit = target
  let base = ''
  for (const range of path) {
    commit = range.head_sha
    base = range.base_sha
    if (!(await isAncestor(repo, { ancestor: accepted, commit: base }, git))) break
  }
  return {
    commit,
    reason:
      `the review of it started from ${base}, before ${accepted}, which was accepted already: ` +
      'no review shows what it does to that commit',
    errorClass: 'unreviewed_commit',
  }
}

export const isProven = async (question: TargetQuestion): Promise<boolean> =>
  (await walkVerdicts(question)).proven

/**
 * The newest ancestor of `head` (or `head` itself) that is proven.
 * @returns null when not even the baseline is an ancestor
 */
export function provenBase(
  question: ChainQuestion & { readonly head: string },
): Promise<string | null> {
  const { repo, baseline, head, git } = question
  return withNeutralGit(
    repo,
    async (neutral) => {
      const graph = new ReviewGraph(question, neutral)
      const reviewed = await listRefs(repo, reviewRef(''), git)
      for (const commit of await listAncestors(repo, head, git)) {
        if (commit !== baseline && !reviewed.has(reviewRef(commit))) continue
        if ((await walk(graph, { ...question, target: commit })).proven) return commit
      }
      return null
    },
    git,
  )
}

/**
 * Where the verdicts that lead to `head` begin: the baseline of a repository this laptop has not shipped before.
 * Without any verdict that is `head` itself (trust on first use).
 */
export function firstBaseline({
  head,
  ...trust
}: VerdictTrust & { readonly head: string }): Promise<string> {
  return withNeutralGit(
    trust.repo,
    async (neutral) => {
      const graph = new ReviewGraph(trust, neutral)
      const reviewed = await listRefs(trust.repo, reviewRef(''), trust.git)
      for (const newest of await listAncestors(trust.repo, head, trust.git)) {
        if (!reviewed.has(reviewRef(newest))) continue
        const root = await rootBelow(graph, newest)
        if (root !== newest) return root
      }
      return head
    },
    trust.git,
  )
}

/** The oldest commit that the verdicts below `newest` start from, each resting on the next. */
async function rootBelow(graph: ReviewGraph, newest: string): Promise<string> {
  let root = newest
  for (let link = await graph.link(root); 'verdict' in link; link = await graph.link(root))
    root = link.verdict.unproven?.[0]?.base_sha ?? link.verdict.base_sha
  return root
}
