// Which differences between commits a reviewer saw, as far as the verdicts of a repository prove it.
import type { NeutralGit } from '#ops/platform/git/neutral-diff'
import { readStatementRefs, type StatementRefs } from './statement-link.ts'
import {
  rangesOf,
  readLink,
  type CheckedVerdict,
  type Link,
  type Range,
  type Refusal,
  type VerdictTrust,
} from './verdict-link.ts'

/** A reviewed difference, and the verdict that covers it. */
export interface ReviewedRange extends Range, CheckedVerdict {}

/**
 * Commits joined by reviewed differences. Each leads from a commit to one of its ancestors, so a path shows the whole
 * difference between its two ends: nothing between them was left out of every review.
 */
export class ReviewGraph {
  readonly #trust: VerdictTrust
  readonly #neutral: NeutralGit
  readonly #links = new Map<string, Promise<Link>>()
  #statements: Promise<StatementRefs> | null = null

  constructor(trust: VerdictTrust, neutral: NeutralGit) {
    this.#trust = trust
    this.#neutral = neutral
  }

  /** The verdict of one commit, checked once. */
  link(commit: string): Promise<Link> {
    const known = this.#links.get(commit)
    if (known) return known
    const read = this.#read(commit)
    this.#links.set(commit, read)
    return read
  }

  async #read(commit: string): Promise<Link> {
    const { repo, git } = this.#trust
    this.#statements ??= readStatementRefs(repo, git)
    return readLink(commit, this.#trust, {
      neutral: this.#neutral,
      statements: await this.#statements,
    })
  }

  /**
   * Reads every verdict that a path from `target` can rest on.
   * @param ends commits that a path need not go beyond
   */
  async below(target: string, ends: ReadonlySet<string>): Promise<ReviewedHistory> {
    const ranges = new Map<string, ReviewedRange[]>()
    const refusals = new Map<string, Refusal>()
    const seen = new Set<string>()
    const left = [target]
    for (let commit = left.shift(); commit !== undefined; commit = left.shift()) {
      if (seen.has(commit)) continue
      seen.add(commit)
      if (ends.has(commit)) continue
      const link = await this.link(commit)
      if ('reason' in link) refusals.set(commit, link)
      else
        for (const range of rangesOf(link.verdict)) {
          const from = ranges.get(range.head_sha) ?? []
          ranges.set(range.head_sha, [...from, { ...range, ...link }])
          left.push(range.base_sha, range.head_sha)
        }
    }
    return { ranges, refusals }
  }
}

export interface ReviewedHistory {
  /** By the later of their two commits. */
  readonly ranges: ReadonlyMap<string, readonly ReviewedRange[]>
  /** Commits without a good verdict, in the order in which they were reached. */
  readonly refusals: ReadonlyMap<string, Refusal>
}

/** @returns a shortest path, newest first; empty when both are the same commit; null when there is none */
export function pathBetween(
  { ranges }: Pick<ReviewedHistory, 'ranges'>,
  from: string,
  to: string,
): ReviewedRange[] | null {
  const arrivedBy = new Map<string, ReviewedRange | null>([[from, null]])
  // A Map gives entries that are added while it is read, so this goes on until nothing new is reached.
  for (const commit of arrivedBy.keys())
    for (const range of ranges.get(commit) ?? [])
      if (!arrivedBy.has(range.base_sha)) arrivedBy.set(range.base_sha, range)
  if (!arrivedBy.has(to)) return null
  const path: ReviewedRange[] = []
  for (let range = arrivedBy.get(to); range; range = arrivedBy.get(range.head_sha)) path.push(range)
  return path.toReversed()
}
