import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { reviewRef } from '#shared/verdict'
import { endTree } from '#ops/base/process/process-tree'
import type { Step } from '#ops/core/pipeline/pipeline'
import { commitOf, currentBranch, treeOf } from '#ops/platform/git/commits'
import { wayToRemotes } from '#ops/platform/git/config-values'
import { sweepWorktrees, worktreePrefix } from '#ops/platform/git/linked-worktree'
import { readBlob, trackedAt } from '#ops/platform/git/objects'
import { readRef } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { proofKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { nextActionFile, parseNextAction } from '#ops/core/config/next-action'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { sweepTemporary } from '#ops/base/process/temporary-folder'
import { repairPrefix } from '#ops/features/ship/repair/implementer-folder'
import { proofPlace } from '#ops/features/ship/state/proof-folder'
import { protectedChanges } from '#ops/features/ship/state/protected-paths'
import { fetchRemote, refuseBehind } from './fetch-remote.ts'
import {
  configAt,
  configOfHead,
  gateSettingsOf,
  gatesOfRepair,
} from '#ops/features/ship/state/gate-settings'
import { lookForHazards } from '#ops/features/ship/hazards/hazards'
import { refuseCodexSkip, refuseHookBypass, refuseProductionHost } from './refuse-environment.ts'
import { refuseMovedHead, refuseOtherBranch, refuseUnclearTree } from './refuse-working-tree.ts'
import { acceptedProviders, reviewBase } from '#ops/features/ship/review/review-base'
import { scratchPrefix } from '#ops/features/ship/review/review-step'
import { sealEarlierShips } from '#ops/features/ship/state/seal-ship'
import { findEarlierShip } from '#ops/features/ship/state/resolve-earlier-ship'
import type { ShipLock } from '#ops/features/ship/state/ship-lock'
import { ownKeys, remoteName, type Frozen, type Ship } from '#ops/features/ship/state/ship-state'

const short = (commit: string): string => commit.slice(0, 12)

/** @throws {Problem} `next_action_invalid` */
async function refuseNextAction(repo: string, head: string, options: GitOptions): Promise<void> {
  const text = await readBlob(repo, `${head}:${nextActionFile}`, options)
  if (text === null)
    throw new Problem(
      'next_action_invalid',
      `The commit ${short(head)} has no ${nextActionFile}. Nothing was changed.`,
    )
  parseNextAction(text)
}

/** @throws {Problem} `config_invalid`: what is tracked there would hide proof, or replace it on the host */
async function refuseTrackedProof(repo: string, head: string, options: GitOptions): Promise<void> {
  const tracked = await trackedAt(repo, { commit: head, path: proofPlace }, options)
  if (tracked !== null)
    throw new Problem(
      'config_invalid',
      `The commit ${short(head)} tracks ${tracked}, where HQ keeps its proof. Nothing was pushed.`,
    )
}

/**
 * The branch that is shipped, before the base is known. It is the one the change's own configuration names, unless
 * the change renames it: then it is the one that origin's configuration still names, and so does the base's, later.
 * @throws {Problem} `wrong_branch`, without asking the remote
 */
async function branchToShip(
  repo: string,
  config: ProjectConfig,
  options: GitOptions,
): Promise<string> {
  const current = await currentBranch(repo, options)
  if (current !== null && current !== config.branch) {
    const tracked = await commitOf(repo, `refs/remotes/${remoteName}/${current}`, options)
    if (tracked !== null && (await configAt(repo, tracked, options))?.branch === current)
      return current
  }
  await refuseOtherBranch(repo, config.branch, options)
  return config.branch
}

/**
 * A verdict on the remote is never replaced, so a commit whose verdict is not believed cannot be shipped as it is.
 * @throws {Problem} `nothing_to_ship`, saying why it is not believed
 */
async function refuseOtherVerdict(ship: Ship, head: string, options: GitOptions): Promise<void> {
  const { repo, home } = ship
  if ((await readRef(repo, reviewRef(head), options)) === null) return
  const settings = readOperatorSettings(home)
  const answer = await walkVerdicts({
    repo,
    target: head,
    baseline: settings.baselines[repo] ?? '',
    acceptedProviders: acceptedProviders(settings),
    keys: ownKeys(ship),
    git: options,
  })
  const reason = answer.proven
    ? 'it appeared just now'
    : `${answer.commit === head ? '' : `for ${short(answer.commit)}, `}${answer.reason}`
  throw new Problem(
    'nothing_to_ship',
    `${remoteName} has a verdict of ${short(head)} that is not believed here: ${reason}. A verdict is never replaced; commit a change on top. Nothing was changed.`,
  )
}

/** An implementer ran since these were read, and one of the operator's own may write anywhere. @throws {Problem} `remote_moved`, `verdict_mismatch` */
function refuseOtherTerms(pinned: Frozen, way: string, review: Frozen['review']): void {
  if (way !== pinned.way)
    throw new Problem(
      'remote_moved',
      `The git configuration that says where ${remoteName} leads was changed during this ship. Nothing was pushed.`,
    )
  if (!isDeepStrictEqual(review, pinned.review))
    throw new Problem(
      'verdict_mismatch',
      'Who may review was changed in the operator settings during this ship. Nothing was pushed.',
    )
}

/** What a killed ship left: its processes and worktrees. Called with the lock held. */
async function sweep(
  repo: string,
  lost: string | null,
  log: (text: string) => void,
): Promise<void> {
  if (lost !== null) {
    log(`the ship ${lost} was killed; ending what it left`)
    const stuck = await endTree({ marker: `OPENCLAW_RUN_ID=${lost}` })
    if (stuck.length > 0) log(`processes ${stuck.join(', ')} of it would not end`)
    const prefixes = [scratchPrefix, repairPrefix, worktreePrefix].map((of) => of(lost))
    for (const name of readdirSync(tmpdir()).filter((each) =>
      prefixes.some((start) => each.startsWith(start)),
    ))
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
  for (const folder of sweepTemporary()) log(`removed ${folder}, whose process was killed`)
  for (const folder of await sweepWorktrees(repo))
    log(`removed the worktree ${folder} of a killed ship`)
}

/**
 * Refuses whatever makes a ship unsafe or pointless, then freezes the one commit that everything after is about
 * (design §6). Changes nothing but remote-tracking refs and, at a first ship, the baseline in the operator's settings.
 *
 * @param takeLock the lock is released when the result document has been written
 */
export const preflightStep = (
  ship: Ship,
  takeLock: (commit: string) => Promise<ShipLock>,
): Step<object> => ({
  name: 'preflight',
  timeLimitSeconds: 900,
  run: async (_facts, context) => {
    const { signal } = context
    const log = (text: string): void => context.log(text)
    const { repo, env, candidate, pinned } = ship
    const options: GitOptions = { signal }
    // First, so that a refusal too is about a commit.
    const head = candidate?.commit ?? (await commitOf(repo, 'HEAD', options))
    if (head === null)
      throw new Problem('nothing_to_ship', `${repo} has no commit yet. Nothing was changed.`)
    ship.head = head
    ship.tree = await treeOf(repo, head, options)
    refuseProductionHost(repo, env, ship.hostName)
    refuseCodexSkip(env)
    await refuseHookBypass(repo, env)
    const lock = await takeLock(head)
    await sweep(repo, lock.lost, log)
    ship.key ??= await proofKey(laptopProofPaths(ship.home, repo))
    for (const why of candidate ? [] : await sealEarlierShips(ship, ship.key)) log(why)

    if (candidate) await refuseMovedHead(repo, candidate.start, options)
    await refuseUnclearTree(repo, options)
    await refuseTrackedProof(repo, head, options)
    const branch = await branchToShip(repo, await configOfHead(repo, head, options), options)

    const [way, { review }] = [await wayToRemotes(repo, options), readOperatorSettings(ship.home)]
    if (pinned) refuseOtherTerms(pinned, way, review)
    const remoteHead = await fetchRemote(repo, branch, options)
    await refuseBehind(repo, head, remoteHead, branch, options)
    const { base, trustedNow } = await reviewBase(ship, head, remoteHead, options)
    if (pinned && base !== pinned.base)
      throw new Problem(
        'verdict_mismatch',
        `The review would start from ${short(base)} instead of ${short(pinned.base)}: what is proven changed during this ship. Nothing was pushed.`,
      )
    if (trustedNow !== null)
      log(`first ship of this repository from here: changes after ${trustedNow} are reviewed`)
    const proven = base === head
    if (!proven) await refuseOtherVerdict(ship, head, options)
    const { shipped, earlier } = proven
      ? await findEarlierShip(repo, head, ownKeys(ship), options)
      : { shipped: false, earlier: null }
    if (proven && (!earlier || (earlier.result === null && remoteHead !== head))) {
      throw new Problem(
        'nothing_to_ship',
        remoteHead === head
          ? `${remoteName}/${branch} is at this commit already${shipped ? ', and it was shipped' : ''}. Nothing was changed.`
          : `${short(head)} is reviewed already, and ${remoteName}/${branch} was set back behind it. Commit a change on top. Nothing was changed.`,
      )
    }
    const own = await gateSettingsOf(repo, earlier?.verdict.base_sha ?? base, head, options)
    const gates = pinned ? gatesOfRepair(pinned.gates, own) : own
    await refuseOtherBranch(repo, gates.branch, options)
    await refuseNextAction(repo, head, options)

    const repaired = candidate
      ? await protectedChanges(repo, candidate.start, head, gates.protectedPaths, options)
      : []
    const flags = [
      ...(await lookForHazards(repo, earlier?.verdict.base_sha ?? base, head, options)),
      ...repaired.map(
        ({ path, status }) => `${path}: ${status} by an automatic repair, although it is protected`,
      ),
    ]
    for (const flag of flags) log(`for the reviewer: ${flag}`)

    ship.since = earlier?.verdict.base_sha ?? base
    ship.frozen = {
      head,
      tree: ship.tree,
      branch,
      remoteHead,
      base: ship.since,
      gates,
      flags,
      review,
      way,
      earlier,
    }
    for (const change of gates.changed) log(`gate setting changed: ${change}`)
    const detail = earlier
      ? `${short(head)} was pushed by ${earlier.runId} and not confirmed; ${earlier.result === null ? 'it left no result, so its tests are run again' : 'its evidence is checked'} and the remote read again`
      : `${short(head)} on ${branch}, reviewed from ${short(base)}${trustedNow === null ? '' : ` (first ship: baseline ${short(trustedNow)} trusted and remembered)`}`
    return { detail }
  },
})
