import { Problem, toProblem } from '#shared/errors'
import { reviewRef } from '#shared/verdict'
import { writeBlob } from '#ops/platform/git/objects'
import { lsRemote, pushAtomic } from '#ops/platform/git/remote'
import { gitFailure } from '#ops/platform/git/run-git'
import type { CommandResult } from '#ops/base/process/command'
import type { Step, StepContext } from '#ops/core/pipeline/pipeline'
import { readVerdictText } from './check-step.ts'
import { frozenOf, remoteName, type Ship } from '#ops/features/ship/state/ship-state'

interface RemoteView {
  readonly head: string | null
  readonly verdict: string | null
}

async function readBack(ship: Ship): Promise<RemoteView> {
  const { branch, head } = frozenOf(ship)
  const [branchRef, verdictRef] = [`refs/heads/${branch}`, reviewRef(head)]
  // Without the run's signal: once something may have been pushed, what the remote holds has to be known.
  const refs = await lsRemote(ship.repo, { remote: remoteName, refs: [branchRef, verdictRef] })
  return { head: refs.get(branchRef) ?? null, verdict: refs.get(verdictRef) ?? null }
}

/** After a push: whatever git said about it, the remote's own answer counts. @throws {Problem} `push_unconfirmed`, `push_rejected`, `remote_moved` */
async function confirm(ship: Ship, blob: string, pushed: CommandResult | null): Promise<void> {
  const { head, branch, remoteHead } = frozenOf(ship)
  const evidence =
    pushed === null
      ? []
      : [...pushed.stdout.split('\n').filter((line) => line.startsWith('!')), ...gitFailure(pushed)]
  let view: RemoteView
  try {
    view = await readBack(ship)
  } catch (error) {
    throw new Problem(
      'push_unconfirmed',
      `${head.slice(0, 12)} was pushed, and ${remoteName} could not be read afterwards: ${toProblem(error).message}`,
      { cause: error, evidence },
    )
  }
  ship.remoteSha = view.head
  if (view.head === head && view.verdict === blob) {
    ship.pushedSha = head
    return
  }
  const refused = pushed === null || pushed.exitCode !== 0
  if (refused && view.head === remoteHead)
    throw new Problem(
      'push_rejected',
      `${remoteName} did not take the push: ${evidence.at(-1) ?? 'no reason given'}. ${branch} is as it was.`,
      { evidence },
    )
  if (refused && view.head !== head)
    throw new Problem(
      'remote_moved',
      `${remoteName}/${branch} moved to ${view.head?.slice(0, 12) ?? 'nothing'} before the push and did not take it. This ship changed nothing.`,
      { evidence },
    )
  if (refused && view.verdict !== null && view.verdict !== blob)
    throw new Problem(
      'remote_moved',
      `Somebody else shipped ${head.slice(0, 12)} to ${remoteName}/${branch} at the same time, with a verdict of their own, which stays. This ship changed nothing.`,
      { evidence },
    )
  throw new Problem(
    'push_unconfirmed',
    `${head.slice(0, 12)} was pushed, and ${remoteName} does not show it as it should: ${branch} at ${view.head?.slice(0, 12) ?? 'nothing'}, verdict ${view.verdict === blob ? 'there' : 'missing or another'}.`,
    { evidence },
  )
}

async function push(ship: Ship, blob: string, context: StepContext): Promise<CommandResult> {
  const { head, branch } = frozenOf(ship)
  context.signal.throwIfAborted()
  // A cancel no longer stops it from here: a push that is cut off leaves open whether it happened.
  const result = await pushAtomic(
    ship.repo,
    { remote: remoteName, refs: [`${head}:refs/heads/${branch}`, `${blob}:${reviewRef(head)}`] },
    {
      timeLimitSeconds: 600,
      env: { OPENCLAW_HQ_HOME: ship.home },
      onLine: (text, stream) => context.log(text, stream),
    },
  )
  return result
}

/** Pushes commit and verdict together, by a normal push, and reads the remote back. */
export const finishStep = (ship: Ship): Step<object> => ({
  name: 'review_finish',
  timeLimitSeconds: 1200,
  run: async (_facts, context) => {
    const { head, branch } = frozenOf(ship)
    const blob = await writeBlob(ship.repo, readVerdictText(ship), { signal: context.signal })
    const before = await readBack(ship)
    const there = before.head === head && before.verdict === blob
    context.log(
      there
        ? 'the remote has both already'
        : `pushing ${head} to ${branch} and ${blob} to ${reviewRef(head)}`,
    )
    await confirm(ship, blob, there ? null : await push(ship, blob, context))
    return {
      detail: `${remoteName}/${branch} is ${head.slice(0, 12)}, verdict beside it${there ? '; pushed by an earlier ship, confirmed now' : ''}`,
    }
  },
})
