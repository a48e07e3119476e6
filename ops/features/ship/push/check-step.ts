// Reads everything again, at the last moment before the push: nothing that was true at preflight is trusted.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import type { ShipStep } from '#shared/steps'
import { commitOf, treeOf } from '#ops/platform/git/commits'
import { wayToRemotes } from '#ops/platform/git/config-values'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { lsRemote } from '#ops/platform/git/remote'
import type { GitOptions } from '#ops/platform/git/run-git'
import { parseJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import type { Step } from '#ops/core/pipeline/pipeline'
import { isProven } from '#ops/core/trust/review-chain'
import { planReview } from '#ops/core/trust/review-plan'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import {
  checkCodexSkip,
  checkHooks,
  checkProductionHost,
} from '#ops/features/ship/preconditions/environment'
import { refuse } from '#ops/features/ship/preconditions/unmet'
import { checkBranch, refuseUnclearTree } from '#ops/features/ship/preconditions/working-tree'
import { proofFiles } from '#ops/features/ship/review/proof-files'
import { acceptedProviders, isAccepted } from '#ops/features/ship/state/accepted-providers'
import {
  frozenOf,
  laptopKeys,
  remoteName,
  type ShipFacts,
} from '#ops/features/ship/state/ship-facts'
import { readStatements } from '#ops/features/ship/review/statements'

const untouched = 'Nothing was pushed.'

export const checkStep: Step<ShipFacts, ShipStep> = {
  name: 'check_fail_closed_push',
  timeLimitSeconds: 900,
  run: async (facts, context) => {
    const git: GitOptions = { signal: context.signal }
    const { head, branch, remoteHead } = frozenOf(facts)
    refuse(checkProductionHost(facts), untouched)
    refuse(checkCodexSkip(facts), untouched)
    refuse(await checkHooks(facts), untouched)
    context.log('no production host, no CODEX_SKIP, hooks on')
    await refuseMovedTree(facts, git)
    context.log(`HEAD is still ${head}, the tree is clean`)
    await refuseOtherOrigin(facts, git)
    const verdict = readVerdict(facts)
    await refuseOtherCommit(facts, verdict, git)
    await refuseOtherReview(facts, verdict, git)
    context.log(`${verdict.verdict_id} is about this commit, tree, base and diff`)
    readStatements(facts, verdict)
    context.log('the statements of the review and of the tests say the same')
    await refuseMovedRemote(facts, git)
    return {
      detail:
        `verdict, commit, tree, base and diff agree; ` +
        `${remoteName}/${branch} unmoved at ${shortCommit(remoteHead)}`,
    }
  },
}

/** The verdict as it lies on disk, to the byte. It is what will be pushed. @throws {Problem} `verdict_mismatch` */
export function readVerdictText({ dir }: Pick<ShipFacts, 'dir'>): string {
  try {
    return readFileSync(join(dir, proofFiles.verdict), 'utf8')
  } catch (error) {
    throw new Problem(
      'verdict_mismatch',
      `The verdict of this ship cannot be read any more. ${untouched}`,
      { cause: error },
    )
  }
}

/** @throws {Problem} `head_moved`, `wrong_branch`, and what makes a tree unclear */
async function refuseMovedTree(facts: ShipFacts, git: GitOptions): Promise<void> {
  const { head, branch } = frozenOf(facts)
  const tree = { repo: facts.repo, git }
  const now = await commitOf(facts.repo, 'HEAD', git)
  if (now !== head)
    throw new Problem(
      'head_moved',
      `HEAD moved to ${now === null ? 'no commit' : shortCommit(now)} ` +
        `while ${shortCommit(head)} was reviewed. ${untouched}`,
    )
  refuse(await checkBranch(tree, branch), untouched)
  await refuseUnclearTree(tree, untouched)
}

/**
 * The tests of the change ran in a worktree of this very repository, whose configuration they can write.
 * @throws {Problem} `remote_moved`
 */
async function refuseOtherOrigin(facts: ShipFacts, git: GitOptions): Promise<void> {
  if ((await wayToRemotes(facts.repo, git)) !== frozenOf(facts).originConfig)
    throw new Problem(
      'remote_moved',
      `The git configuration of the remote ${remoteName} changed during this ship. ${untouched}`,
    )
}

/** @throws {Problem} `verdict_signature_invalid`, `verdict_mismatch` for a file that the review did not write */
function readVerdict(facts: ShipFacts): VerdictDocument {
  const name = proofFiles.verdict
  const verdict = parseJson(readVerdictText(facts), verdictDocument, {
    errorClass: 'verdict_mismatch',
    origin: name,
  })
  if (checkVerdictSignature(verdict, laptopKeys(facts)) !== 'verified')
    throw new Problem(
      'verdict_signature_invalid',
      `${name} is not signed by the key of this laptop. ${untouched}`,
    )
  if (!isDeepStrictEqual(verdict, facts.verdict))
    refuseVerdict(`${name} differs from what the review wrote`)
  return verdict
}

/** @throws {Problem} `verdict_mismatch` naming the first value that does not agree with the frozen commit */
async function refuseOtherCommit(
  facts: ShipFacts,
  verdict: VerdictDocument,
  git: GitOptions,
): Promise<void> {
  const { head, tree, base, unproven } = frozenOf(facts)
  if (verdict.head_sha !== head) refuseVerdict(`it is about the commit ${verdict.head_sha}`)
  if (verdict.tree_sha !== tree || (await treeOf(facts.repo, head, git)) !== tree)
    refuseVerdict(`it is about the tree ${verdict.tree_sha}`)
  if (verdict.base_sha !== base) refuseVerdict(`it starts from ${verdict.base_sha}`)
  const stretches = verdict.unproven ?? []
  const reviewed = stretches.map(({ base_sha, head_sha }) => ({ base_sha, head_sha }))
  if (!isDeepStrictEqual(reviewed, unproven))
    refuseVerdict('it does not cover what is not proven below it')
  await withNeutralGit(
    facts.repo,
    async (neutral) => {
      for (const each of [verdict, ...stretches])
        if (each.diff_sha256 !== (await neutral.diffDigest(each.base_sha, each.head_sha)))
          refuseVerdict('it is about another diff')
    },
    git,
  )
}

/** @throws {Problem} `verdict_mismatch` when who may review, or what is proven, has changed */
async function refuseOtherReview(
  facts: ShipFacts,
  { reviewer }: VerdictDocument,
  git: GitOptions,
): Promise<void> {
  const { head, base, unproven, remoteHead, review, earlier } = frozenOf(facts)
  const settings = readOperatorSettings(facts.home)
  if (!isDeepStrictEqual(settings.review, review))
    refuseVerdict('the accepted reviewers in the operator settings changed during this ship')
  if (!isAccepted(settings, reviewer))
    refuseVerdict(`its reviewer ${reviewer.provider_id} at ${reviewer.base_url} is not accepted`)
  const baseline = settings.baselines[facts.repo]
  if (baseline === undefined)
    refuseVerdict('nothing says any more from where on changes are reviewed')
  const chain = {
    repo: facts.repo,
    baseline,
    acceptedProviders: acceptedProviders(settings),
    keys: laptopKeys(facts),
    git,
  }
  const holds = earlier
    ? await isProven({ ...chain, target: head })
    : isDeepStrictEqual(await planReview({ ...chain, head, remoteHead }), { base, unproven })
  if (!holds) refuseVerdict('the reviewed history no longer reaches its base')
}

function refuseVerdict(why: string): never {
  throw new Problem(
    'verdict_mismatch',
    `The verdict does not belong to this push: ${why}. ${untouched}`,
  )
}

/** @throws {Problem} `remote_moved` */
async function refuseMovedRemote(facts: ShipFacts, git: GitOptions): Promise<void> {
  const { branch, remoteHead } = frozenOf(facts)
  const ref = `refs/heads/${branch}`
  const now =
    (await lsRemote(facts.repo, { remote: remoteName, refs: [ref] }, git)).get(ref) ?? null
  if (now !== remoteHead)
    throw new Problem(
      'remote_moved',
      `${remoteName}/${branch} moved to ${now === null ? 'nothing' : shortCommit(now)} during this ship. ${untouched}`,
      { evidence: [`at preflight ${remoteHead}`, `now ${now ?? '(gone)'}`] },
    )
}
