import { Problem } from '#shared/errors'
import type { OperatorSettings } from '#shared/config'
import type { GitOptions } from '#ops/platform/git/run-git'
import { writeJson } from '#ops/base/files/json-file'
import { firstBaseline, provenBase, type AcceptedProvider } from '#ops/core/trust/review-chain'
import { operatorSettingsPath, readOperatorSettings } from '#ops/core/config/settings-files'
import { ownKeys, type Ship } from '#ops/features/ship/state/ship-state'

export interface ReviewBase {
  readonly base: string
  /** The baseline was taken now, on trust, because this repository is shipped from here for the first time. */
  readonly trustedNow: string | null
}

/** Providers whose verdicts this operator believes. */
export const acceptedProviders = (settings: OperatorSettings): AcceptedProvider[] =>
  settings.review.providers.map(({ id, base_url }) => ({ id, base_url }))

/**
 * The newest proven ancestor of `head`, or `head` itself. At the first ship of a repository its baseline is set in the
 * operator's settings: the commit where the remote's verdicts begin, else origin/main as it is.
 *
 * @param home folder of the operator's settings
 * @throws {Problem} `baseline_unknown` when the baseline is no ancestor: the history was rewritten
 */
export async function reviewBase(
  ship: Pick<Ship, 'repo' | 'home' | 'key'>,
  head: string,
  remoteHead: string,
  options: GitOptions,
): Promise<ReviewBase> {
  const { repo, home } = ship
  const settings = readOperatorSettings(home)
  const question = {
    repo,
    acceptedProviders: acceptedProviders(settings),
    keys: ownKeys(ship),
    git: options,
  }
  const known = settings.baselines[repo]
  let trustedNow: string | null = null
  if (known === undefined) {
    trustedNow = await firstBaseline({ ...question, head: remoteHead })
    // Read again right before writing: HQ writes this file too.
    const fresh = readOperatorSettings(home)
    writeJson(
      operatorSettingsPath(home),
      { ...fresh, baselines: { ...fresh.baselines, [repo]: trustedNow } },
      { mode: 0o600 },
    )
  }
  const baseline = known ?? trustedNow ?? remoteHead
  const base = await provenBase({ ...question, baseline, head })
  if (base === null)
    throw new Problem(
      'baseline_unknown',
      `The commit ${baseline.slice(0, 12)}, from which on changes of this repository are reviewed, is no ancestor of ${head.slice(0, 12)}. Nothing was changed.`,
    )
  return { base, trustedNow }
}
