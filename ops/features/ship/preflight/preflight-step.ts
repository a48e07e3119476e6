// Refuses whatever makes a ship unsafe or pointless, then freezes the one commit that is shipped.
import { isDeepStrictEqual } from 'node:util'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import type { ShipStep } from '#shared/steps'
import type { Step, FactContext } from '#ops/core/pipeline/pipeline'
import { reviewRef } from '#shared/verdict'
import { commitOf, treeOf } from '#ops/platform/git/commits'
import { completeClone } from '#ops/platform/git/complete-clone'
import { listRefs } from '#ops/platform/git/refs'
import { wayToRemotes } from '#ops/platform/git/config-values'
import type { GitOptions } from '#ops/platform/git/run-git'
import { proofKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { inspectHazards } from '#ops/features/ship/hazards/hazards'
import { branchToShip, type Commit } from '#ops/features/ship/preconditions/commit'
import { noCommit, refuseUnmet, type Subject } from '#ops/features/ship/preconditions/preconditions'
import { problemOf, refuse } from '#ops/features/ship/preconditions/unmet'
import { checkBranch, checkHeadUnmoved } from '#ops/features/ship/preconditions/working-tree'
import {
  configOfHead,
  gateSettingsOf,
  gatesOfRepair,
  type GateSettings,
} from '#ops/features/ship/state/gate-settings'
import { provenStart, type Change, type ReviewedChange } from '#ops/features/ship/state/change'
import { protectedChanges } from '#ops/features/ship/state/protected-paths'
import { findEarlierShip, type EarlierShip } from '#ops/features/ship/state/resolve-earlier-ship'
import { sealEarlierShips } from '#ops/features/ship/state/seal-ship'
import {
  laptopKeys,
  remoteName,
  type Frozen,
  type ShipFacts,
} from '#ops/features/ship/state/ship-facts'
import type { ShipLock } from '#ops/features/ship/state/ship-lock'
import { fetchRemote } from './fetch-remote.ts'
import { proveOrigin } from './prove-origin.ts'
import { refuseOtherVerdict, reviewBase } from './review-base.ts'
import { sweepKilledShip } from './sweep.ts'

/** Takes the ship lock for this commit. It is released when the result document has been written. */
export type TakeLock = (commit: string) => Promise<ShipLock>

type Context = FactContext<ShipFacts>

/**
 * Changes nothing but remote-tracking refs and, at a first ship, the baseline in the operator's settings. On origin it
 * makes a throw-away ref beside the verdicts, and deletes it.
 *
 * @param takeLock called once the machine and its environment are accepted
 */
export const preflightStep = (takeLock: TakeLock): Step<ShipFacts, ShipStep> => ({
  name: 'preflight',
  timeLimitSeconds: 900,
  run: async (given, context) => {
    const facts = await begin(given, context, takeLock)
    const origin = await inspectOrigin(facts, context)
    const frozen = await freeze(facts, origin, context)
    // An earlier ship has pushed already; the first attempt of this ship has proven it.
    if (frozen.earlier === null && given.pinned === null)
      await proveOrigin({ ...facts, ...context })
    const { since, detail } = summarise(frozen, origin)
    return { facts: { since, frozen }, detail }
  },
})

/** The facts with what is known once the lock is held. */
interface Begun extends ShipFacts {
  readonly head: string
  readonly tree: string
}

/** Names the commit, so that a refusal is about one; checks the machine; takes the lock; reads the ship key. */
async function begin(given: ShipFacts, context: Context, takeLock: TakeLock): Promise<Begun> {
  const { repo, candidate, home } = given
  const git: GitOptions = { signal: context.signal }
  const head = candidate?.commit ?? (await commitOf(repo, 'HEAD', git))
  if (head === null) throw problemOf(noCommit(repo), 'Nothing was changed.')
  const commit = { head, tree: await treeOf(repo, head, git) }
  context.note(commit)
  await refuseUnmet('start', { ...given, head, git, remote: null, before: null })
  const lock = await takeLock(head)
  await sweepKilledShip(repo, lock.lost, (text) => context.log(text))
  const key = given.key ?? (await proofKey(laptopProofPaths(home, repo)))
  context.note({ key })
  const facts: Begun = { ...given, ...commit, key }
  for (const why of candidate ? [] : await sealEarlierShips(facts, key)) context.log(why)
  return facts
}

interface Origin extends Pick<
  Frozen,
  'branch' | 'remoteHead' | 'originConfig' | 'review' | 'base' | 'unproven'
> {
  /** The baseline when this ship was the first to trust it. */
  readonly trustedNow: string | null
  readonly earlier: EarlierShip | null
}

/** Checks the commit, fetches origin and finds where the review starts. */
async function inspectOrigin(facts: Begun, context: Context): Promise<Origin> {
  const { repo, head, candidate, pinned } = facts
  const git: GitOptions = { signal: context.signal }
  const commit: Commit = { repo, head, git }
  const subject: Subject = { ...facts, ...commit, remote: null, before: null }
  if (candidate) refuse(await checkHeadUnmoved(commit, candidate.start), workUntouched)
  const originConfig = await wayToRemotes(repo, git)
  const { review } = readOperatorSettings(facts.home)
  if (pinned) refuseOtherTerms(pinned, { originConfig, review })
  await refuseUnmet('commit', subject)
  const branch = await branchToShip(commit, await configOfHead(repo, head, git))

  const remoteHead = await fetchRemote(repo, branch, git)
  const remote = { branch, remoteHead }
  await fetchMissing(facts, remoteHead, context)
  await refuseUnmet('fetched', { ...subject, remote })
  const { base, unproven, proven, trustedNow } = await reviewBase(facts, { head, remoteHead }, git)
  if (pinned && !(base === pinned.base && isDeepStrictEqual(unproven, pinned.unproven)))
    throw new Problem(
      'verdict_mismatch',
      `What a review has to show changed during this ship: it started from ${shortCommit(pinned.base)} and would ` +
        `start from ${shortCommit(base)} now. Nothing was pushed.`,
    )
  if (trustedNow !== null)
    context.log(`first ship of this repository from here: changes after ${trustedNow} are reviewed`)
  if (!proven) await refuseOtherVerdict(facts, head, git)
  const before = proven
    ? await findEarlierShip(commit, laptopKeys(facts), git)
    : { shipped: false, earlier: null }
  await refuseUnmet('base', { ...subject, remote, before: { proven, base, ...before } })
  const plan = before.earlier ? planOfVerdict(before.earlier) : { base, unproven }
  return { ...remote, ...plan, originConfig, review, trustedNow, earlier: before.earlier }
}

/** A verdict compares whole trees from the baseline on, so a shallow or partial clone must have them. */
async function fetchMissing(
  { repo, head, home }: Begun,
  remoteHead: string,
  { signal, log }: Context,
): Promise<void> {
  const baseline = readOperatorSettings(home).baselines[repo]
  // Without a baseline it is looked for among the verdicts, in the whole history; without a verdict it is origin's.
  const verdicts = await listRefs(repo, reviewRef(''), { signal })
  const from = baseline ?? (verdicts.size === 0 ? remoteHead : null)
  const needed = { remote: remoteName, tips: [head, remoteHead], from }
  const fetched = await completeClone(repo, needed, { signal })
  if (fetched !== null) log(fetched)
}

/** What the verdict of an earlier ship covers. */
const planOfVerdict = ({ verdict }: EarlierShip): Pick<Frozen, 'base' | 'unproven'> => ({
  base: verdict.base_sha,
  unproven: (verdict.unproven ?? []).map(({ base_sha, head_sha }) => ({ base_sha, head_sha })),
})

const workUntouched = 'Nothing was pushed; your work is untouched.'

/**
 * An implementer ran since these were read, and an implementer of the operator's choice may write anywhere.
 * @throws {Problem} `remote_moved`, `verdict_mismatch`
 */
function refuseOtherTerms(
  pinned: Frozen,
  { originConfig, review }: Pick<Frozen, 'originConfig' | 'review'>,
): void {
  if (originConfig !== pinned.originConfig)
    throw new Problem(
      'remote_moved',
      `The git configuration of the remote ${remoteName} changed during this ship. Nothing was pushed.`,
    )
  if (!isDeepStrictEqual(review, pinned.review))
    throw new Problem(
      'verdict_mismatch',
      'The accepted reviewers in the operator settings changed during this ship. Nothing was pushed.',
    )
}

/** Reads the gates of the base, inspects the change, and fixes what all later steps are about. */
async function freeze(facts: Begun, origin: Origin, context: Context): Promise<Frozen> {
  const { repo, head, tree, pinned } = facts
  const { branch, remoteHead, originConfig, review, base, unproven, earlier } = origin
  const git: GitOptions = { signal: context.signal }
  const change: ReviewedChange = { repo, base, head, unproven }
  const ofChange = await gatesOfReview(change, git)
  const gates = pinned ? gatesOfRepair(pinned.gates, ofChange) : ofChange
  refuse(await checkBranch({ repo, git }, gates.branch))
  const flags = [...(await hazardsOfReview(change, git)), ...(await repairFlags(facts, gates, git))]
  for (const flag of flags) context.log(`for the reviewer: ${flag}`)
  for (const each of gates.changed) context.log(`gate setting changed: ${each}`)
  const terms = { branch, remoteHead, originConfig, review, earlier }
  return { head, tree, base, unproven, gates, flags, ...terms }
}

/** Everything that is not proven yet, then the change alone where that is not the same. */
const changesOf = (change: ReviewedChange): Change[] => {
  const start = provenStart(change)
  return start === change.base ? [change] : [{ ...change, base: start }, change]
}

/**
 * The gates are those of the commit up to which everything is proven: an unproven one must not loosen them. Listed is
 * also what the change alters of the settings that are on origin's branch.
 */
async function gatesOfReview(change: ReviewedChange, git: GitOptions): Promise<GateSettings> {
  const [all, alone] = await Promise.all(changesOf(change).map((each) => gateSettingsOf(each, git)))
  if (all === undefined) throw new TypeError('a change without a start')
  return alone === undefined
    ? all
    : { ...all, changed: [...new Set([...all.changed, ...alone.changed])] }
}

/** @throws {Problem} of the hazard that is refused */
async function hazardsOfReview(change: ReviewedChange, git: GitOptions): Promise<string[]> {
  const flags = new Set<string>()
  for (const each of changesOf(change))
    for (const flag of await inspectHazards(each, git)) flags.add(flag)
  return [...flags]
}

/** Protected files that an automatic repair changed. */
async function repairFlags(
  { repo, head, candidate }: Begun,
  gates: GateSettings,
  git: GitOptions,
): Promise<string[]> {
  if (!candidate) return []
  const change = { repo, base: candidate.start, head }
  return (await protectedChanges(change, gates.protectedPaths, git)).map(
    ({ path, status }) => `${path}: ${status} by an automatic repair, although it is protected`,
  )
}

function summarise(
  frozen: Frozen,
  { earlier, trustedNow }: Origin,
): { since: string; detail: string } {
  const { head, branch, base } = frozen
  const since = provenStart(frozen)
  if (earlier) {
    const evidence =
      earlier.result === null
        ? 'it left no result, so its tests are run again'
        : 'its evidence is checked'
    return {
      since,
      detail:
        `${shortCommit(head)} was pushed by ${earlier.runId} and not confirmed; ` +
        `${evidence} and the remote is read again`,
    }
  }
  const first =
    trustedNow === null
      ? ''
      : ` (first ship: baseline ${shortCommit(trustedNow)} trusted and remembered)`
  const below = since === base ? '' : `, with what is not proven from ${shortCommit(since)} on`
  return {
    since,
    detail: `${shortCommit(head)} on ${branch}, reviewed from ${shortCommit(base)}${below}${first}`,
  }
}
