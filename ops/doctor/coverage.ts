import { git, gitText, type GitOptions } from '#ops/git/run-git'
import { readBlob } from '#ops/git/objects'
import { provenBase, walkVerdicts, type ChainQuestion } from '#ops/review-chain'
import { reviewRef } from '#shared/verdict'

/** Commits that are named; the rest is counted. */
const named = 8
const subjectLength = 60

export interface UnprovenCommit { readonly sha: string; readonly subject: string }

export type Coverage =
  | { readonly state: 'proven'; readonly verdicts: number }
  /** `total` commits lie between the newest proven one (or the baseline) and the tip. */
  | { readonly state: 'unproven'; readonly why: string; readonly commits: readonly UnprovenCommit[]; readonly total: number }
  /** Time was up before the baseline was reached; every verdict looked at was good. */
  | { readonly state: 'unfinished'; readonly verdicts: number }

class TimeIsUp extends Error {}

/**
 * Which commits up to `tip` does no verified verdict cover? Reads verdicts until the time is up: a long history is not
 * a reason to give no answer.
 * @param until milliseconds of `performance.now()`
 * @throws {Problem} `internal_error` when git cannot read the repository
 */
export async function coverage(question: ChainQuestion & { readonly tip: string; readonly until: number }): Promise<Coverage> {
  const { repo, tip, baseline, until, git: options = {} } = question
  let verdicts = 0
  const bounded: ChainQuestion = {
    ...question,
    readVerdict: async (commit) => {
      if (performance.now() > until) throw new TimeIsUp()
      verdicts += 1
      return await readBlob(repo, reviewRef(commit), options)
    },
  }
  const inTime = async <T>(work: Promise<T>): Promise<T | null> => {
    try {
      return await work
    } catch (error) {
      if (error instanceof TimeIsUp) return null
      throw error
    }
  }
  const walked = await inTime(walkVerdicts({ ...bounded, target: tip }))
  if (walked === null) return { state: 'unfinished', verdicts }
  if (walked.proven) return { state: 'proven', verdicts: walked.chain.length }
  const base = await inTime(provenBase({ ...bounded, head: tip })) ?? baseline
  return { state: 'unproven', why: `${walked.commit.slice(0, 12)}: ${walked.reason}`, ...await between(repo, base, tip, options) }
}

async function between(repo: string, base: string, tip: string, options: GitOptions): Promise<{ commits: UnprovenCommit[]; total: number }> {
  // A baseline that is not in the repository covers nothing.
  const known = (await git(repo, ['cat-file', '-e', '--end-of-options', `${base}^{commit}`], options)).exitCode === 0
  const range = known ? [tip, `^${base}`] : [tip]
  const [count, list] = await Promise.all([
    gitText(repo, ['rev-list', '--count', '--end-of-options', ...range], options),
    gitText(repo, ['log', '--topo-order', `--max-count=${named}`, '--format=%H %s', '--no-show-signature', '--end-of-options', ...range], options),
  ])
  const commits = list.split('\n').filter((line) => line !== '').map((line) => ({ sha: line.slice(0, 40), subject: line.slice(41) }))
  return { commits, total: Number(count) }
}

const shortened = (text: string): string => (text.length > subjectLength ? `${text.slice(0, subjectLength)}…` : text)

/** `3 commits without a verified review: 0123456789ab "subject", …` */
export function listUnproven({ commits, total, why }: Coverage & { state: 'unproven' }): string {
  const more = total > commits.length ? ` and ${total - commits.length} more` : ''
  return `${total} ${total === 1 ? 'commit' : 'commits'} without a verified review: ${commits.map(({ sha, subject }) => `${sha.slice(0, 12)} ${JSON.stringify(shortened(subject))}`).join(', ')}${more} (${why})`
}
