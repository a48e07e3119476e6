// Pushes commit, verdict and statements together, by a normal push, and reads the remote back.
import { Problem, toProblem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { pushedStatements, statementRef } from '#shared/statement'
import { reviewRef } from '#shared/verdict'
import type { ShipStep } from '#shared/steps'
import { writeBlob } from '#ops/platform/git/objects'
import { lsRemote, pushAtomic } from '#ops/platform/git/remote'
import { pushRefusal, type PushRefusal } from '#ops/platform/git/push-refusal'
import type { GitOptions } from '#ops/platform/git/run-git'
import type { CommandResult } from '#ops/base/process/command'
import type { Step, StepContext } from '#ops/core/pipeline/pipeline'
import { frozenOf, remoteName, type ShipFacts } from '#ops/features/ship/state/ship-facts'
import { refuseBypass } from '#ops/features/ship/preflight/bypassed-rules'
import { readVerdictText } from './check-step.ts'
import { readStatementText } from '#ops/features/ship/review/statements'

export const finishStep: Step<ShipFacts, ShipStep> = {
  name: 'review_finish',
  timeLimitSeconds: 1200,
  run: async (facts, context) => {
    const { head, branch } = frozenOf(facts)
    const goal = await goalOf(facts, { signal: context.signal })
    const before = await readBack(facts, goal)
    const missing = missingFrom(before, goal)
    const there = missing.length === 0
    for (const [ref, id] of missing) context.log(`pushing ${id} to ${ref}`)
    if (there) context.log('the remote already has the commit, its verdict and its statements')
    const lines: string[] = []
    const pushed = there ? null : await push(facts, missing, { ...context, lines })
    const refusal =
      pushed === null || pushed.exitCode === 0 ? null : await pushRefusal(facts.repo, pushed)
    const view = viewOf(facts, await readAfterPush(facts, { goal, refusal }))
    context.note({ remoteSha: view.head })
    refuseUnconfirmed(facts, { goal, pushed: pushed?.exitCode === 0, refusal, view })
    refuseBypass(
      lines,
      `${shortCommit(head)} and its verdict are on ${remoteName}/${branch}; a host can deploy them.`,
    )
    const note = there ? '; pushed by an earlier ship, confirmed now' : ''
    return {
      facts: { remoteSha: view.head, pushedSha: head },
      detail: `${remoteName}/${branch} is ${shortCommit(head)}, verdict and statements beside it${note}`,
    }
  },
}

/** What the remote must have in the end: each ref with the object that it names. */
type Refs = ReadonlyMap<string, string>

async function goalOf(facts: ShipFacts, git: GitOptions): Promise<Refs> {
  const { head, branch } = frozenOf(facts)
  const goal = new Map([
    [`refs/heads/${branch}`, head],
    [reviewRef(head), await writeBlob(facts.repo, readVerdictText(facts), git)],
  ])
  for (const kind of pushedStatements) {
    const text = readStatementText(facts, kind)
    goal.set(statementRef(kind, head), await writeBlob(facts.repo, text, git))
  }
  return goal
}

const missingFrom = (found: Refs, goal: Refs): (readonly [string, string])[] =>
  [...goal].filter(([ref, id]) => found.get(ref) !== id)

async function push(
  facts: ShipFacts,
  missing: readonly (readonly [string, string])[],
  context: Pick<StepContext, 'signal' | 'log'> & { readonly lines: string[] },
): Promise<CommandResult> {
  context.signal.throwIfAborted()
  // A cancel does not stop it from here on: a push that is cut off leaves open whether it happened.
  return pushAtomic(
    facts.repo,
    { remote: remoteName, refs: missing.map(([ref, id]) => `${id}:${ref}`) },
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
  readonly refs: Refs
}

// Without the run's signal: once something may have been pushed, what the remote holds has to be known.
const readBack = (facts: ShipFacts, goal: Refs): Promise<Refs> =>
  lsRemote(facts.repo, { remote: remoteName, refs: [...goal.keys()] })

function viewOf(facts: ShipFacts, refs: Refs): RemoteView {
  const { branch, head } = frozenOf(facts)
  return {
    head: refs.get(`refs/heads/${branch}`) ?? null,
    verdict: refs.get(reviewRef(head)) ?? null,
    refs,
  }
}

/** @throws {Problem} `push_unconfirmed` when the remote cannot be read */
async function readAfterPush(
  facts: ShipFacts,
  { goal, refusal }: Pick<Push, 'goal' | 'refusal'>,
): Promise<Refs> {
  try {
    return await readBack(facts, goal)
  } catch (error) {
    const head = shortCommit(frozenOf(facts).head)
    throw new Problem(
      'push_unconfirmed',
      `${head} was pushed, and ${remoteName} could not be read afterwards: ${toProblem(error).message}`,
      { cause: error, evidence: refusal?.evidence ?? [] },
    )
  }
}

interface Push {
  readonly goal: Refs
  /** git said that it succeeded. */
  readonly pushed: boolean
  /** Null: it did not fail, or nothing had to be pushed. */
  readonly refusal: PushRefusal | null
  /** The remote afterwards. */
  readonly view: RemoteView
}

/**
 * Whatever git said about the push, the remote's own answer counts.
 * @throws {Problem} `push_unconfirmed`, `push_rejected`, `push_hook_refused`, `remote_moved`
 */
function refuseUnconfirmed(facts: ShipFacts, { goal, pushed, refusal, view }: Push): void {
  const { head, branch, remoteHead } = frozenOf(facts)
  const missing = missingFrom(view.refs, goal)
  if (missing.length === 0) return
  const blob = goal.get(reviewRef(head))
  const [commit, at] = [shortCommit(head), `${remoteName}/${branch}`]
  const remote = view.head === null ? 'nothing' : shortCommit(view.head)
  const evidence = refusal?.evidence ?? []
  if (!pushed) {
    if (view.head === remoteHead) throw refused(refusal, branch)
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
  throw new Problem(
    'push_unconfirmed',
    `${commit} was pushed, and ${remoteName} does not show it as it should: ` +
      `${branch} at ${remote}, missing or different: ${missing.map(([ref]) => ref).join(', ')}.`,
    { evidence },
  )
}

function refused(refusal: PushRefusal | null, branch: string): Problem {
  const { by, why, evidence } = refusal ?? { by: 'unknown', why: 'no reason given', evidence: [] }
  return by === 'hook'
    ? new Problem(
        'push_hook_refused',
        `The pre-push hook of this repository refused the push: ${why}. ${branch} of ${remoteName} is as it was.`,
        { evidence },
      )
    : new Problem(
        'push_rejected',
        `${by === 'remote' ? `${remoteName} refused the push` : `The push to ${remoteName} failed`}: ${why}. ` +
          `${branch} is as it was.`,
        { evidence },
      )
}
