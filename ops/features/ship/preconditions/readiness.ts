// May the repository be shipped now? What HQ checks before it offers the button.
import { realpathSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { reviewRef } from '#shared/verdict'
import { commitOf } from '#ops/platform/git/commits'
import { readRef } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { configOfHead } from '#ops/features/ship/state/gate-settings'
import { findEarlierShip } from '#ops/features/ship/state/resolve-earlier-ship'
import { remoteName } from '#ops/features/ship/state/ship-facts'
import { branchToShip, type Commit } from './commit.ts'
import type { Machine } from './environment.ts'
import { firstUnmet, noCommit } from './preconditions.ts'
import type { RemoteView, ShippedBefore } from './remote.ts'
import type { Unmet } from './unmet.ts'

export interface Laptop extends Machine {
  /** Folder of the operator's settings. */
  readonly home: string
}

/**
 * Checks every precondition of a ship by reading: nothing is fetched and nothing is changed.
 *
 * @param laptop `repo` is the root of the working tree
 * @returns the first condition that is not met; null: the ship may start
 */
export async function shipBlockedBy(laptop: Laptop, git: GitOptions): Promise<Unmet | null> {
  const repo = realpathSync(laptop.repo)
  const head = await commitOf(repo, 'HEAD', git)
  if (head === null) return noCommit(repo)
  const commit = { repo, head, git }
  const remote = await lastFetched(commit)
  const before = remote && (await shippedBefore(commit, laptop.home, remote))
  return firstUnmet({ ...laptop, ...commit, remote, before })
}

/** origin's branch as the last fetch left it; null when it is not known, then preflight fetches it. */
async function lastFetched(commit: Commit): Promise<RemoteView | null> {
  const { repo, git } = commit
  const branch = await branchIfClear(commit)
  if (branch === null) return null
  const remoteHead = await commitOf(repo, `refs/remotes/${remoteName}/${branch}`, git)
  return remoteHead === null ? null : { branch, remoteHead }
}

/** Null without a valid configuration: the list of conditions says why. */
async function branchIfClear(commit: Commit): Promise<string | null> {
  try {
    return await branchToShip(commit, await configOfHead(commit.repo, commit.head, commit.git))
  } catch (error) {
    if (
      error instanceof Problem &&
      (error.errorClass === 'config_invalid' || error.errorClass === 'config_missing')
    )
      return null
    throw error
  }
}

/**
 * Preflight fetches the verdicts and verifies their whole chain. Here a commit counts as proven when origin has it or a
 * verdict of it is in this clone: a verdict is never replaced, so preflight would refuse that commit either way.
 */
async function shippedBefore(
  { repo, head, git }: Commit,
  home: string,
  { remoteHead }: RemoteView,
): Promise<ShippedBefore> {
  const isOnRemote = head === remoteHead
  const proven =
    isOnRemote ||
    head === readOperatorSettings(home).baselines[repo] ||
    (await readRef(repo, reviewRef(head), git)) !== null
  const base = isOnRemote ? null : remoteHead
  if (!proven) return { proven, base, shipped: false, earlier: null }
  const key = readProofPublicKey(laptopProofPaths(home, repo))
  const keys = trustKeys(key === null ? [] : [key], 'the ship key')
  return { proven, base, ...(await findEarlierShip({ repo, head }, keys, git)) }
}
