// What a reviewer must see of a commit before it is pushed.
import { reviewRef } from '#shared/verdict'
import { commitOf, isAncestor, listBetween } from '#ops/platform/git/commits'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { listRefs } from '#ops/platform/git/refs'
import type { ChainQuestion } from './review-chain.ts'
import {
  pathBetween,
  ReviewGraph,
  type ReviewedHistory,
  type ReviewedRange,
} from './review-graph.ts'
import { rangesOf, type Range } from './verdict-link.ts'

export interface PlanQuestion extends ChainQuestion {
  readonly head: string
  /** Commit of origin's branch: an ancestor of `head`, or `head` itself. */
  readonly remoteHead: string
}

export interface ReviewPlan {
  /** Where the change starts: origin's branch; for a head that is on the branch already, a commit below it. */
  readonly base: string
  /** What lies below the head and is covered by no verdict that counts, oldest first. */
  readonly unproven: readonly Range[]
}

/**
 * The change is what the push does to origin's branch. Beside it goes what no verdict that counts covers, in ranges
 * that end at every commit with a verdict, by whichever key: a host may have accepted that commit, and what later
 * commits do to it must be in a review. That also covers a verdict that passed over such a commit.
 *
 * @returns null when the baseline is not an ancestor of the head
 */
export async function planReview(question: PlanQuestion): Promise<ReviewPlan | null> {
  const { repo, baseline, head, remoteHead, git = {} } = question
  if ((await commitOf(repo, baseline, git)) === null) return null
  if (!(await isAncestor(repo, { ancestor: baseline, commit: head }, git))) return null
  const stops = await stopsOf(question)
  const [newest] = stops
  const base = remoteHead === head ? (newest?.base_sha ?? head) : remoteHead
  const covered = await coveredBy(question, stops)
  return {
    base,
    unproven: stops
      .filter((range) => !(range.base_sha === base && range.head_sha === head))
      .filter(({ base_sha, head_sha }) => pathBetween(covered, head_sha, base_sha) === null)
      .toReversed(),
  }
}

/** The way from the head to the baseline, newest first, over origin's branch and over every commit with a verdict. */
async function stopsOf({
  repo,
  baseline,
  head,
  remoteHead,
  git = {},
}: PlanQuestion): Promise<Range[]> {
  const reviewed = await listRefs(repo, reviewRef(''), git)
  const between = async (base: string, tip: string): Promise<string[]> =>
    withVerdict(await listBetween(repo, { base, tip }, git), tip, reviewed)
  // A branch that was moved back behind the baseline is no stop on the way to it.
  const isOnWay = await isAncestor(repo, { ancestor: baseline, commit: remoteHead }, git)
  const middle = isOnWay && remoteHead !== baseline && remoteHead !== head ? [remoteHead] : []
  const marks = [head, ...middle, baseline].filter((commit, at, all) => all.indexOf(commit) === at)
  const way: string[] = [head]
  for (const [at, tip] of marks.entries()) {
    const base = marks[at + 1]
    if (base !== undefined) way.push(...(await between(base, tip)), base)
  }
  return way.slice(1).map((base_sha, at) => ({ base_sha, head_sha: way[at] ?? head }))
}

/** Commits with a verdict below `tip`, each an ancestor of the one before it. @param commits newest first */
function withVerdict(
  commits: Awaited<ReturnType<typeof listBetween>>,
  tip: string,
  reviewed: ReadonlyMap<string, string>,
): string[] {
  const found: string[] = []
  let reachable = new Set([tip])
  for (const { commit, parents } of commits) {
    if (!reachable.has(commit)) continue
    if (commit !== tip && reviewed.has(reviewRef(commit))) {
      found.push(commit)
      reachable = new Set() // from here on only what this commit reaches
    }
    for (const parent of parents) reachable.add(parent)
  }
  return found
}

/** What the verdicts of these commits cover. */
const coveredBy = (
  question: PlanQuestion,
  stops: readonly Range[],
): Promise<Pick<ReviewedHistory, 'ranges'>> =>
  withNeutralGit(
    question.repo,
    async (neutral) => {
      const graph = new ReviewGraph(question, neutral)
      const ranges: ReviewedRange[] = []
      for (const { head_sha } of stops) {
        const link = await graph.link(head_sha)
        if ('verdict' in link)
          for (const range of rangesOf(link.verdict)) ranges.push({ ...range, ...link })
      }
      return { ranges: Map.groupBy(ranges, (range) => range.head_sha) }
    },
    question.git,
  )
