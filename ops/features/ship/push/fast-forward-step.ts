// Moves the operator's branch to the repair that passed tests and review.
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import type { ShipStep } from '#shared/steps'
import { commitOf } from '#ops/platform/git/commits'
import { git, gitFailure, gitText } from '#ops/platform/git/run-git'
import type { Step } from '#ops/core/pipeline/pipeline'
import { refuse } from '#ops/features/ship/preconditions/unmet'
import {
  checkBranch,
  checkHeadUnmoved,
  refuseUnclearTree,
} from '#ops/features/ship/preconditions/working-tree'
import { repairRef } from '#ops/features/ship/repair/repair-step'
import { frozenOf, type ShipFacts } from '#ops/features/ship/state/ship-facts'

/**
 * Runs right before the last check of the push, and only when the tree is clean and HEAD is still the commit that was
 * shipped. Git itself refuses to overwrite a file that is in no commit, an ignored one included.
 */
export const fastForwardStep: Step<ShipFacts, ShipStep> = {
  name: 'fast_forward',
  timeLimitSeconds: 600,
  run: async (facts, { signal, log }) => {
    const { repo, runId, candidate } = facts
    if (!candidate) throw new TypeError('there is no repair to move to')
    const { branch, head } = frozenOf(facts)
    const tree = { repo, git: { signal } }
    refuse(
      await checkHeadUnmoved(tree, candidate.start),
      'Nothing was pushed; your work is untouched.',
    )
    refuse(await checkBranch(tree, branch))
    await refuseUnclearTree(tree)
    await fastForward(facts, branch, head)
    log(`${branch} moved from ${candidate.start} to ${head}`)
    await gitText(repo, ['update-ref', '-d', repairRef(runId), head])
    return {
      facts: { forwarded: true },
      detail: `${branch} moved from ${shortCommit(candidate.start)} to the approved repair ${shortCommit(head)}`,
    }
  },
}

/** @throws {Problem} `fast_forward_refused` */
async function fastForward(
  { repo, runId }: ShipFacts,
  branch: string,
  head: string,
): Promise<void> {
  // Without the run's signal: a working tree that is being written is written to the end.
  const result = await git(
    repo,
    [
      'merge',
      '--ff-only',
      '--no-overwrite-ignore',
      '--no-autostash',
      '--no-verify-signatures',
      '--no-stat',
      '--quiet',
      head,
    ],
    { timeLimitSeconds: 300, config: { 'submodule.recurse': 'false' } },
  )
  if (result.exitCode === 0 && (await commitOf(repo, 'HEAD')) === head) return
  const evidence = gitFailure(result)
  throw new Problem(
    'fast_forward_refused',
    `${branch} could not be moved to the approved repair ${shortCommit(head)}: ${evidence[0] ?? 'git refused'}. ` +
      `Nothing was pushed; your files are untouched, and ${repairRef(runId)} keeps the repair.`,
    { evidence },
  )
}
