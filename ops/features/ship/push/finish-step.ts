// Pushes commit and verdict together, by a normal push, and reads the remote back.
import { Problem, toProblem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { reviewRef } from '#shared/verdict'
import type { ShipStep } from '#shared/steps'
import { writeBlob } from '#ops/platform/git/objects'
import { lsRemote, pushAtomic } from '#ops/platform/git/remote'
import { gitFailure } from '#ops/platform/git/run-git'
import type { CommandResult } from '#ops/base/process/command'
import type { Step, StepContext } from '#ops/core/pipeline/pipeline'
import { frozenOf, remoteName, type ShipFacts } from '#ops/features/ship/state/ship-facts'
import { refuseBypass } from '#ops/features/ship/preflight/bypassed-rules'
import { readVerdictText } from './check-step.ts'

export const finishStep: Step<ShipFacts, ShipStep> = {
  name: 'review_finish',
  timeLimitSeconds: 1200,
  run: async (facts, context) => {
    const { head, branch } = frozenOf(facts)
    const blob = await writeBlob(facts.repo, readVerdictText(facts), { signal: context.signal })
    const before = await readBack(facts)
    const there = before.head === head && before.verdict === blob
    context.log(
      there
        ? 'the remote already has the commit and its verdict'
        : `pushing ${head} to ${branch} and ${blob} to ${reviewRef(head)}`,
    )
    const lines: string[] = []
    const pushed = there ? null : await push(facts, blob, { ...context, lines })
    const view = await readAfterPush(facts, pushed)
    context.note({ remoteSha: view.head })
    refuseUnconfirmed(facts, { blob, pushed, view })
    refuseBypass(
      lines,
      `${shortCommit(head)} and its verdict are on ${remoteName}/${branch}; a host can deploy them.`,
    )
    const note = there ? '; pushed by an earlier ship, confirmed now' : ''
    return {
      facts: { remoteSha: view.head, pushedSha: head },
      detail: `${remoteName}/${branch} is ${shortCommit(head)}, verdict beside it${note}`,
    }
  },
}

async function push(
  facts: ShipFacts,
  blob: string,
  context: Pick<StepContext, 'signal' | 'log'> & { readonly lines: string[] },
): Promise<CommandResult> {
  const { head, branch } = frozenOf(facts)
  context.signal.throwIfAborted()
  // A cancel does not stop it from here on: a push that is cut off leaves open whether it happened.
  return pushAtomic(
    facts.repo,
    { remote: remoteName, refs: [`${head}:refs/heads/${branch}`, `${blob}:${reviewRef(head)}`] },
    {
      timeLimitSeconds: 600,
      env: { OPENCLAW_HQ_HOME: facts.home },
      onLine: (text, stream) => {
        if (stream === 'stderr') context.lines.push(text)
        context.log(text, stream)
      },
    },
  )
}

interface RemoteView {
  readonly head: string | null
  readonly verdict: string | null
}

async function readBack(facts: ShipFacts): Promise<RemoteView> {
  const { branch, head } = frozenOf(facts)
  const [branchRef, verdictRef] = [`refs/heads/${branch}`, reviewRef(head)]
  // Without the run's signal: once something may have been pushed, what the remote holds has to be known.
  const refs = await lsRemote(facts.repo, { remote: remoteName, refs: [branchRef, verdictRef] })
  return { head: refs.get(branchRef) ?? null, verdict: refs.get(verdictRef) ?? null }
}

/** @throws {Problem} `push_unconfirmed` when the remote cannot be read */
async function readAfterPush(facts: ShipFacts, pushed: CommandResult | null): Promise<RemoteView> {
  try {
    return await readBack(facts)
  } catch (error) {
    const head = shortCommit(frozenOf(facts).head)
    throw new Problem(
      'push_unconfirmed',
      `${head} was pushed, and ${remoteName} could not be read afterwards: ${toProblem(error).message}`,
      { cause: error, evidence: evidenceOf(pushed) },
    )
  }
}

const evidenceOf = (pushed: CommandResult | null): string[] =>
  pushed === null
    ? []
    : [...pushed.stdout.split('\n').filter((line) => line.startsWith('!')), ...gitFailure(pushed)]

interface Push {
  readonly blob: string
  /** Null: nothing had to be pushed. */
  readonly pushed: CommandResult | null
  /** The remote afterwards. */
  readonly view: RemoteView
}

/**
 * Whatever git said about the push, the remote's own answer counts.
 * @throws {Problem} `push_unconfirmed`, `push_rejected`, `remote_moved`
 */
function refuseUnconfirmed(facts: ShipFacts, { blob, pushed, view }: Push): void {
  const { head, branch, remoteHead } = frozenOf(facts)
  if (view.head === head && view.verdict === blob) return
  const [commit, at] = [shortCommit(head), `${remoteName}/${branch}`]
  const remote = view.head === null ? 'nothing' : shortCommit(view.head)
  const evidence = evidenceOf(pushed)
  if (pushed === null || pushed.exitCode !== 0) {
    if (view.head === remoteHead)
      throw new Problem(
        'push_rejected',
        `${remoteName} refused the push: ${evidence.at(-1) ?? 'no reason given'}. ${branch} is as it was.`,
        { evidence },
      )
    if (view.head !== head)
      throw new Problem(
        'remote_moved',
        `${at} moved to ${remote} before the push, so the push was refused. This ship changed nothing.`,
        { evidence },
      )
    if (view.verdict !== null && view.verdict !== blob)
      throw new Problem(
        'remote_moved',
        `Someone else shipped ${commit} to ${at} at the same time, with a different verdict, which stays. ` +
          'This ship changed nothing.',
        { evidence },
      )
  }
  const verdict = view.verdict === blob ? 'there' : 'missing or different'
  throw new Problem(
    'push_unconfirmed',
    `${commit} was pushed, and ${remoteName} does not show it as it should: ` +
      `${branch} at ${remote}, verdict ${verdict}.`,
    { evidence },
  )
}
