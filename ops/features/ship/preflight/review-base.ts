// What a review of a commit must show: what the push changes, and what below it is not proven.
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { reviewRef } from '#shared/verdict'
import { readRef } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { writeJson } from '#ops/base/files/json-file'
import { firstBaseline, isProven, walkVerdicts } from '#ops/core/trust/review-chain'
import { planReview, type ReviewPlan } from '#ops/core/trust/review-plan'
import { operatorSettingsPath, readOperatorSettings } from '#ops/core/config/settings-files'
import { acceptedProviders } from '#ops/features/ship/state/accepted-providers'
import { laptopKeys, remoteName, type ShipFacts } from '#ops/features/ship/state/ship-facts'

type Laptop = Pick<ShipFacts, 'repo' | 'home' | 'key'>

export interface ReviewBase extends ReviewPlan {
  /** The head itself is covered by a verdict, or reviews start from it. */
  readonly proven: boolean
  /** The baseline when it was trusted just now, because this repository is shipped from here for the first time. */
  readonly trustedNow: string | null
}

/**
 * At the first ship of a repository its baseline is set in the operator's settings: the commit where the remote's
 * verdicts begin, else origin's branch as it is.
 *
 * @throws {Problem} `baseline_unknown` when the baseline is not an ancestor: the history was rewritten
 */
export async function reviewBase(
  laptop: Laptop,
  { head, remoteHead }: { readonly head: string; readonly remoteHead: string },
  options: GitOptions,
): Promise<ReviewBase> {
  const { repo, home } = laptop
  const settings = readOperatorSettings(home)
  const chain = {
    repo,
    acceptedProviders: acceptedProviders(settings),
    keys: laptopKeys(laptop),
    git: options,
  }
  const known = settings.baselines[repo]
  const trustedNow =
    known === undefined ? await firstBaseline({ ...chain, head: remoteHead }) : null
  if (trustedNow !== null) rememberBaseline(laptop, trustedNow)
  const baseline = known ?? trustedNow ?? remoteHead
  const plan = await planReview({ ...chain, baseline, head, remoteHead })
  if (plan === null)
    throw new Problem(
      'baseline_unknown',
      `Changes of this repository are reviewed from the commit ${shortCommit(baseline)} on, ` +
        `which is not an ancestor of ${shortCommit(head)}. Nothing was changed.`,
    )
  const proven = await isProven({ ...chain, baseline, target: head })
  return { ...plan, proven, trustedNow }
}

/** Reads the settings again right before it writes: HQ writes this file too. */
function rememberBaseline({ repo, home }: Laptop, baseline: string): void {
  const settings = readOperatorSettings(home)
  writeJson(
    operatorSettingsPath(home),
    { ...settings, baselines: { ...settings.baselines, [repo]: baseline } },
    { mode: 0o600 },
  )
}

/**
 * A verdict on the remote is never replaced, so a commit whose verdict is not trusted cannot be shipped as it is.
 * @throws {Problem} `nothing_to_ship`, saying why it is not trusted
 */
export async function refuseOtherVerdict(
  laptop: Laptop,
  head: string,
  options: GitOptions,
): Promise<void> {
  const { repo, home } = laptop
  if ((await readRef(repo, reviewRef(head), options)) === null) return
  const settings = readOperatorSettings(home)
  const answer = await walkVerdicts({
    repo,
    target: head,
    baseline: settings.baselines[repo] ?? '',
    acceptedProviders: acceptedProviders(settings),
    keys: laptopKeys(laptop),
    git: options,
  })
  const whichCommit =
    answer.proven || answer.commit === head ? '' : `for ${shortCommit(answer.commit)}, `
  const reason = answer.proven ? 'it appeared just now' : `${whichCommit}${answer.reason}`
  throw new Problem(
    'nothing_to_ship',
    `${remoteName} has a verdict of ${shortCommit(head)} that is not trusted here: ${reason}. ` +
      'A verdict is never replaced; commit a change on top. Nothing was changed.',
  )
}
