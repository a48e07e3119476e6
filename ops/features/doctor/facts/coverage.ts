import { shortCommit } from '#shared/ids'
import { listAncestors } from '#ops/platform/git/commits'
import { readBlob } from '#ops/platform/git/objects'
import { listRefs, readRef } from '#ops/platform/git/refs'
import { git, gitText } from '#ops/platform/git/run-git'
import { acceptedBelow } from '#ops/core/host-state/known-history'
import { provenBase, walkVerdicts, type ChainQuestion } from '#ops/core/trust/review-chain'
import { reviewRef } from '#shared/verdict'
import { plural } from '#shared/plural'
import { waitInSteps } from '#ops/core/checks/check'

/** Commits that a message names; it counts the rest. */
const named = 8
const subjectLength = 60

export interface UnprovenCommit {
  readonly sha: string
  readonly subject: string
}

export type Coverage =
  | { readonly state: 'proven'; readonly verdicts: number }
  /** `total` commits lie between the newest proven one (or the baseline) and the tip. */
  | {
      readonly state: 'unproven'
      readonly why: string
      readonly commits: readonly UnprovenCommit[]
      readonly total: number
    }
  /** The time was up before the baseline was reached. Every verdict that was read is good. */
  | { readonly state: 'unfinished'; readonly verdicts: number }

interface CoverageQuestion extends ChainQuestion {
  readonly tip: string
  readonly limitMs: number
  /** Newest commit that the host has accepted; null: none. */
  readonly accepted: string | null
}

class TimeIsUp extends Error {}

/**
 * Finds the commits up to `tip` that no verified verdict covers. It reads verdicts until the time is up, so that a long
 * history still gives an answer. A tip without a verdict is reported at once.
 * @param limitMs milliseconds, counted like the limit of a check
 * @throws {Problem} `internal_error` when git cannot read the repository
 */
export async function coverage({
  tip,
  limitMs,
  accepted,
  ...question
}: CoverageQuestion): Promise<Coverage> {
  const { repo, baseline, git: options = {} } = question
  const over = new AbortController()
  let up = false
  let verdicts = 0
  const runOut = async (): Promise<void> => {
    try {
      await waitInSteps(limitMs, over.signal)
      up = true
    } catch {
      // The walk has ended before the time was up.
    }
  }
  void runOut()
  const bounded: ChainQuestion = {
    ...question,
    readVerdict: async (commit) => {
      if (up) throw new TimeIsUp()
      const text = await readBlob(repo, reviewRef(commit), {
        ...options,
        tooLarge: 'verdict_mismatch',
      })
      verdicts += 1
      return text
    },
  }
  const inTime = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work
    } catch (error) {
      if (error instanceof TimeIsUp) return undefined
      throw error
    }
  }
  try {
    const bare = tip !== baseline && (await readRef(repo, reviewRef(tip), options)) === null
    const walked = bare
      ? { proven: false as const, commit: tip, reason: 'it has no review verdict' }
      : await inTime(
          walkVerdicts({
            ...bounded,
            target: tip,
            accepted: await acceptedBelow(repo, { accepted, baseline, target: tip }, options),
          }),
        )
    // `verdicts` does not count the one that was requested last: it was not read.
    if (walked === undefined) return { state: 'unfinished', verdicts }
    if (walked.proven) return { state: 'proven', verdicts: walked.chain.length }
    const base = await inTime(provenBase({ ...bounded, head: tip }))
    return {
      state: 'unproven',
      why: `${shortCommit(walked.commit)}: ${walked.reason}`,
      ...(await between(question, {
        base:
          base === undefined
            ? await claimedBase(question, tip, walked.commit)
            : proven(base, { accepted, baseline, tip }),
        tip,
      })),
    }
  } finally {
    over.abort()
  }
}

/** A tip that is proven by itself passes over what the host accepted: all since then was in no review. */
const proven = (
  base: string | null,
  { accepted, baseline, tip }: Pick<CoverageQuestion, 'accepted' | 'baseline' | 'tip'>,
): string => (base === tip && accepted !== null ? accepted : (base ?? baseline))

/** The newest ancestor that has a verdict, verified or not; else the baseline. */
async function claimedBase(
  { repo, baseline, git: options = {} }: ChainQuestion,
  tip: string,
  refused: string,
): Promise<string> {
  const reviewed = await listRefs(repo, reviewRef(''), options)
  return (
    (await listAncestors(repo, tip, options)).find(
      (commit) => commit === baseline || (commit !== refused && reviewed.has(reviewRef(commit))),
    ) ?? baseline
  )
}

async function between(
  { repo, git: options = {} }: ChainQuestion,
  { base, tip }: { base: string; tip: string },
): Promise<{ commits: UnprovenCommit[]; total: number }> {
  // A baseline that is not in the repository covers nothing.
  const known =
    (await git(repo, ['cat-file', '-e', '--end-of-options', `${base}^{commit}`], options))
      .exitCode === 0
  const range = known ? [tip, `^${base}`] : [tip]
  const [count, list] = await Promise.all([
    gitText(repo, ['rev-list', '--count', '--end-of-options', ...range], options),
    gitText(
      repo,
      [
        'log',
        '--topo-order',
        `--max-count=${named}`,
        '--format=%H %s',
        '--no-show-signature',
        '--end-of-options',
        ...range,
      ],
      options,
    ),
  ])
  const commits = list
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ sha: line.slice(0, 40), subject: line.slice(41) }))
  return { commits, total: Number(count) }
}

const shortened = (text: string): string =>
  text.length > subjectLength ? `${text.slice(0, subjectLength)}…` : text

/** `3 commits without a verified review: 0123456789ab "subject", …` */
export function listUnproven({ commits, total, why }: Coverage & { state: 'unproven' }): string {
  const more = total > commits.length ? ` and ${total - commits.length} more` : ''
  const list = commits
    .map(({ sha, subject }) => `${shortCommit(sha)} ${JSON.stringify(shortened(subject))}`)
    .join(', ')
  return `${plural(total, 'commit')} without a verified review: ${list}${more} (${why})`
}
