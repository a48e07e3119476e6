// Refuses whatever makes a ship unsafe or pointless, then freezes the one commit that is shipped.
import { isDeepStrictEqual } from 'node:util'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import type { ShipStep } from '#shared/steps'
import type { Step, FactContext } from '#ops/core/pipeline/pipeline'
import { commitOf, treeOf } from '#ops/platform/git/commits'
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

interface Origin {
  readonly branch: string
  readonly remoteHead: string
  readonly originConfig: string
  readonly review: Frozen['review']
  /** Where the review starts. */
  readonly base: string
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
  await refuseUnmet('fetched', { ...subject, remote })
  const { base, trustedNow } = await reviewBase(facts, { head, remoteHead }, git)
  if (pinned && base !== pinned.base)
    throw new Problem(
      'verdict_mismatch',
      `The commit that the review starts from changed from ${shortCommit(pinned.base)} to ${shortCommit(base)} ` +
        'during this ship. Nothing was pushed.',
    )
  if (trustedNow !== null)
    context.log(`first ship of this repository from here: changes after ${trustedNow} are reviewed`)
  const proven = base === head
  if (!proven) await refuseOtherVerdict(facts, head, git)
  const before = proven
    ? await findEarlierShip(commit, laptopKeys(facts), git)
    : { shipped: false, earlier: null }
  await refuseUnmet('base', { ...subject, remote, before: { proven, ...before } })
  return { ...remote, originConfig, review, base, trustedNow, earlier: before.earlier }
}

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
  const { branch, remoteHead, originConfig, review, earlier } = origin
  const git: GitOptions = { signal: context.signal }
  const base = earlier?.verdict.base_sha ?? origin.base
  const change = { repo, base, head }
  const ofChange = await gateSettingsOf(change, git)
  const gates = pinned ? gatesOfRepair(pinned.gates, ofChange) : ofChange
  refuse(await checkBranch({ repo, git }, gates.branch))
  const flags = [...(await inspectHazards(change, git)), ...(await repairFlags(facts, gates, git))]
  for (const flag of flags) context.log(`for the reviewer: ${flag}`)
  for (const each of gates.changed) context.log(`gate setting changed: ${each}`)
  return { head, tree, branch, remoteHead, base, gates, flags, review, originConfig, earlier }
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
  { head, branch, base }: Frozen,
  { earlier, trustedNow }: Origin,
): { since: string; detail: string } {
  if (earlier) {
    const evidence =
      earlier.result === null
        ? 'it left no result, so its tests are run again'
        : 'its evidence is checked'
    return {
      since: base,
      detail:
        `${shortCommit(head)} was pushed by ${earlier.runId} and not confirmed; ` +
        `${evidence} and the remote is read again`,
    }
  }
  const first =
    trustedNow === null
      ? ''
      : ` (first ship: baseline ${shortCommit(trustedNow)} trusted and remembered)`
  return {
    since: base,
    detail: `${shortCommit(head)} on ${branch}, reviewed from ${shortCommit(base)}${first}`,
  }
}
