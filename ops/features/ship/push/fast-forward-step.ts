import { Problem } from '#shared/errors'
import { commitOf } from '#ops/platform/git/commits'
import { git, gitFailure, gitText, type GitOptions } from '#ops/platform/git/run-git'
import type { Step } from '#ops/core/pipeline/pipeline'
import {
  refuseMovedHead,
  refuseOtherBranch,
  refuseUnclearTree,
} from '#ops/features/ship/preflight/refuse-working-tree'
import { repairRef } from '#ops/features/ship/repair/repair-step'
import { frozenOf, type Ship } from '#ops/features/ship/state/ship-state'

/**
 * Moves the operator's branch to the repair that passed tests and review, by fast-forward, right before the last look.
 * Only here, and only when the tree is clean and HEAD is still the commit that was shipped; git itself refuses
 * to write over a file that is in no commit, an ignored one as well.
 */
export const fastForwardStep = (ship: Ship): Step<object> => ({
  name: 'fast_forward',
  timeLimitSeconds: 600,
  run: async (_facts, { signal, log }) => {
    const { repo, runId, candidate } = ship
    if (!candidate) throw new TypeError('there is no repair to move to')
    const { branch, head } = frozenOf(ship)
    const options: GitOptions = { signal }
    await refuseMovedHead(repo, candidate.start, options)
    await refuseOtherBranch(repo, branch, options)
    await refuseUnclearTree(repo, options)
    // Not cancelled half-way: a working tree that is being written is written to the end.
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
    const now = await commitOf(repo, 'HEAD')
    if (result.exitCode !== 0 || now !== head) {
      const evidence = gitFailure(result)
      throw new Problem(
        'fast_forward_refused',
        `${branch} could not be moved to the approved repair ${head.slice(0, 12)}: ${evidence[0] ?? 'git refused'}. Nothing was pushed; your files are untouched, and ${repairRef(runId)} keeps the repair.`,
        { evidence },
      )
    }
    log(`${branch} moved from ${candidate.start} to ${head}`)
    await gitText(repo, ['update-ref', '-d', repairRef(runId), head])
    ship.forwarded = true
    return {
      detail: `${branch} moved from ${candidate.start.slice(0, 12)} to the approved repair ${head.slice(0, 12)}`,
    }
  },
})
