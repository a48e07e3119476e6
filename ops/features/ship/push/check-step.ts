import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Problem } from '#shared/errors'
import { verdictDocument } from '#shared/signature'
import { commitOf, treeOf } from '#ops/platform/git/commits'
import { wayToRemotes } from '#ops/platform/git/config-values'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { lsRemote } from '#ops/platform/git/remote'
import type { GitOptions } from '#ops/platform/git/run-git'
import { parseJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import type { Step } from '#ops/core/pipeline/pipeline'
import { isProven } from '#ops/core/trust/review-chain'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import {
  refuseCodexSkip,
  refuseHookBypass,
  refuseProductionHost,
} from '#ops/features/ship/preflight/refuse-environment'
import {
  refuseOtherBranch,
  refuseUnclearTree,
} from '#ops/features/ship/preflight/refuse-working-tree'
import { acceptedProviders } from '#ops/features/ship/review/review-base'
import { proofFiles } from '#ops/features/ship/review/review-step'
import { frozenOf, ownKeys, remoteName, type Ship } from '#ops/features/ship/state/ship-state'

const untouched = 'Nothing was pushed.'

/** The verdict as it lies on disk, to the byte. It is what will be pushed. @throws {Problem} `verdict_mismatch` */
export function readVerdictText(ship: Ship): string {
  try {
    return readFileSync(join(ship.dir, proofFiles.verdict), 'utf8')
  } catch (error) {
    throw new Problem(
      'verdict_mismatch',
      `The verdict of this ship cannot be read any more. ${untouched}`,
      { cause: error },
    )
  }
}

/** @throws {Problem} `verdict_signature_invalid`, or `verdict_mismatch` naming the first thing that does not agree */
async function refuseOtherVerdict(ship: Ship, options: GitOptions): Promise<void> {
  const { head, tree, base } = frozenOf(ship)
  const refuse = (why: string): never => {
    throw new Problem(
      'verdict_mismatch',
      `The verdict does not belong to this push: ${why}. ${untouched}`,
    )
  }
  const verdict = parseJson(readVerdictText(ship), verdictDocument, {
    errorClass: 'verdict_mismatch',
    origin: proofFiles.verdict,
  })
  if (checkVerdictSignature(verdict, ownKeys(ship)) !== 'verified')
    throw new Problem(
      'verdict_signature_invalid',
      `${proofFiles.verdict} does not bear the signature of this laptop's key. ${untouched}`,
    )
  if (!isDeepStrictEqual(verdict, ship.verdict))
    refuse(`${proofFiles.verdict} is not what the review wrote`)
  if (verdict.head_sha !== head) refuse(`it is about the commit ${verdict.head_sha}`)
  if (verdict.tree_sha !== tree || (await treeOf(ship.repo, head, options)) !== tree)
    refuse(`it is about the tree ${verdict.tree_sha}`)
  if (verdict.base_sha !== base) refuse(`it starts from ${verdict.base_sha}`)
  const digest = await withNeutralGit(
    ship.repo,
    (neutral) => neutral.diffDigest(base, head),
    options,
  )
  if (verdict.diff_sha256 !== digest) refuse('it is about another diff')
  const settings = readOperatorSettings(ship.home)
  if (!isDeepStrictEqual(settings.review, frozenOf(ship).review))
    refuse('who may review was changed in the operator settings during this ship')
  const accepted = acceptedProviders(settings)
  const { provider_id, base_url } = verdict.reviewer
  if (!accepted.some((each) => each.id === provider_id && each.base_url === base_url))
    refuse(`its reviewer ${provider_id} at ${base_url} is not accepted`)
  const baseline = settings.baselines[ship.repo]
  if (
    baseline === undefined ||
    !(await isProven({
      repo: ship.repo,
      target: base,
      baseline,
      acceptedProviders: accepted,
      keys: ownKeys(ship),
      git: options,
    }))
  )
    refuse('its base is no longer proven')
}

/**
 * The tests of the change ran in a worktree of this very repository, whose configuration they can write.
 * @throws {Problem} `remote_moved`
 */
async function refuseOtherWay({ repo, frozen }: Ship, options: GitOptions): Promise<void> {
  if ((await wayToRemotes(repo, options)) !== frozen?.way)
    throw new Problem(
      'remote_moved',
      `The git configuration that says where ${remoteName} leads was changed during this ship. ${untouched}`,
    )
}

/** Reads everything again, at the last moment before the push: nothing that was true at preflight is believed. */
export const checkStep = (ship: Ship): Step<object> => ({
  name: 'check_fail_closed_push',
  timeLimitSeconds: 900,
  run: async (_facts, context) => {
    const { signal } = context
    const { repo, env } = ship
    const { head, branch, remoteHead } = frozenOf(ship)
    const options: GitOptions = { signal }
    refuseProductionHost(repo, env, ship.hostName)
    refuseCodexSkip(env)
    await refuseHookBypass(repo, env)
    context.log('no production host, no CODEX_SKIP, hooks on')
    const now = await commitOf(repo, 'HEAD', options)
    if (now !== head)
      throw new Problem(
        'head_moved',
        `The repository moved on to ${now?.slice(0, 12) ?? 'no commit'} while ${head.slice(0, 12)} was reviewed. ${untouched}`,
      )
    await refuseOtherBranch(repo, branch, options)
    await refuseUnclearTree(repo, options)
    context.log(`HEAD is still ${head}, the tree is clean`)
    await refuseOtherWay(ship, options)
    await refuseOtherVerdict(ship, options)
    context.log(`${ship.verdict?.verdict_id ?? ''} is about this commit, tree, base and diff`)
    const ref = `refs/heads/${branch}`
    const remote =
      (await lsRemote(repo, { remote: remoteName, refs: [ref] }, options)).get(ref) ?? null
    if (remote !== remoteHead)
      throw new Problem(
        'remote_moved',
        `${remoteName}/${branch} moved to ${remote?.slice(0, 12) ?? 'nothing'} during this ship. ${untouched}`,
        { evidence: [`at preflight ${remoteHead}`, `now ${remote ?? '(gone)'}`] },
      )
    return {
      detail: `verdict, commit, tree, base and diff agree; ${remoteName}/${branch} unmoved at ${remoteHead.slice(0, 12)}`,
    }
  },
})
