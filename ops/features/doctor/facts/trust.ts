// By what the reviews of a commit are judged.
import { existsSync } from 'node:fs'
import type { DoctorContext } from '#ops/core/checks/context'
import { readTrustFile } from '#ops/core/config/settings-files'
import { readServing } from '#ops/core/host-state/service-record'
import type { ChainQuestion } from '#ops/core/trust/review-chain'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { acceptedCommit } from '#ops/core/host-state/known-history'
import { branchOf, cloneOf, hasClone } from './clone.ts'
import { oncePerRun } from './once-per-run.ts'
import { plural } from '#shared/plural'

/** Milliseconds for reading verdicts; the rest of the limit of the check is for git itself. */
export const walkMs = 1_300

export interface Trust extends Pick<ChainQuestion, 'baseline' | 'acceptedProviders' | 'keys'> {
  /** Newest commit that this host has accepted; null: none. */
  readonly accepted: string | null
}

/**
 * Read once per run: every check judges by the same trust.
 * @returns what the host trusts, or why there is nothing to judge
 * @throws {Problem} `config_invalid` when the trust file is invalid or was lost; `state_invalid`, and as `cloneOf`
 */
export const trustOf = (context: DoctorContext): Promise<string | Trust> =>
  oncePerRun(context, 'trust', () => readTrust(context))

async function readTrust(context: DoctorContext): Promise<string | Trust> {
  const { paths } = context
  if (!hasClone(context)) return `${paths.root} is not a clone yet.`
  if (!existsSync(paths.trustFile) && readServing(paths) === undefined)
    return `There is no ${paths.trustFile} yet: this host trusts no review, and nothing can be deployed.`
  const { baseline, review_providers, keys } = readTrustFile(paths)
  const { options } = await cloneOf(context)
  return {
    baseline,
    acceptedProviders: review_providers,
    keys: trustKeys(keys, paths.trustFile),
    accepted: await acceptedCommit(paths, branchOf(context), options),
  }
}

export function verdictsText(count: number): string {
  if (count === 0) return 'it is the trusted baseline'
  return `${plural(count, 'verdict reaches', 'verdicts reach')} back to the baseline`
}
