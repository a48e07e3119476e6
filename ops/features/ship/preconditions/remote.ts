// How the commit lies to origin's branch.
import { shortCommit } from '#shared/ids'
import { isAncestor, treeOf } from '#ops/platform/git/commits'
import { hasRemote } from '#ops/platform/git/remote'
import { isSameAddress, remoteAddresses, shownAddress } from '#ops/platform/git/remote-address'
import type { EarlierShip } from '#ops/features/ship/state/resolve-earlier-ship'
import { remoteName } from '#ops/features/ship/state/ship-facts'
import type { Commit } from './commit.ts'
import type { Unmet } from './unmet.ts'
import type { Tree } from './working-tree.ts'

/** What is known of origin: preflight has just fetched it, HQ reads what the last fetch left. */
export interface RemoteView {
  readonly branch: string
  /** origin/<branch>. */
  readonly remoteHead: string
}

/** What is known of earlier ships of the commit. */
export interface ShippedBefore {
  /** The commit is reviewed, or reviews start from it. */
  readonly proven: boolean
  /** Where a review of the commit starts; null: not known. */
  readonly base: string | null
  /** A ship of it ended PASS. */
  readonly shipped: boolean
  /** One that was pushed and not confirmed: the next ship confirms it. */
  readonly earlier: Pick<EarlierShip, 'result'> | null
}

export async function checkHasRemote({ repo, git }: Tree): Promise<Unmet | null> {
  return (await hasRemote(repo, remoteName, git))
    ? null
    : { errorClass: 'remote_unreachable', sentence: `${repo} has no remote named ${remoteName}.` }
}

/**
 * What is reviewed is what origin is read from. A push that goes anywhere else, or somewhere else as well, would move
 * another repository.
 */
export async function checkOneAddress({ repo, git }: Tree): Promise<Unmet | null> {
  const { read, push } = await remoteAddresses(repo, remoteName, git)
  const from = read[0] ?? ''
  if (push.length === 1 && push.every((to) => isSameAddress(repo, from, to))) return null
  const to = push.map(shownAddress)
  return {
    errorClass: 'push_address_differs',
    sentence: `${remoteName} is read from ${shownAddress(from)}, and a push goes to ${to.join(' and to ')}.`,
    evidence: [`read: ${shownAddress(from)}`, ...to.map((url) => `push: ${url}`)],
  }
}

export async function checkNotBehind(
  { repo, head, git }: Commit,
  { branch, remoteHead }: RemoteView,
): Promise<Unmet | null> {
  if (await isAncestor(repo, { ancestor: remoteHead, commit: head }, git)) return null
  if (await isAncestor(repo, { ancestor: head, commit: remoteHead }, git))
    return {
      errorClass: 'behind_remote',
      sentence: `${branch} is behind ${remoteName}/${branch}.`,
    }
  return {
    errorClass: 'diverged_from_remote',
    sentence: `${branch} and ${remoteName}/${branch} have diverged.`,
  }
}

export async function checkSomethingToShip(
  { repo, head, git }: Commit,
  { branch, remoteHead }: RemoteView,
  { proven, base, shipped, earlier }: ShippedBefore,
): Promise<Unmet | null> {
  const past = earlier?.result?.error_class === 'push_bypassed_rule' && remoteHead === head
  if (past)
    return {
      errorClass: 'nothing_to_ship',
      sentence:
        `Nothing to ship: ${remoteName}/${branch} is at this commit already. ` +
        `${earlier.result.run_id} pushed it by an exception from a rule of ${remoteName}.`,
    }
  if (earlier && (earlier.result !== null || remoteHead === head)) return null
  const at = `${remoteName}/${branch}`
  if (!proven) {
    const start = base ?? remoteHead
    if (start === head || (await treeOf(repo, start, git)) !== (await treeOf(repo, head, git)))
      return null
    return {
      errorClass: 'nothing_to_ship',
      sentence:
        `Nothing to ship: ${shortCommit(head)} has the same content as ${shortCommit(start)}` +
        `${start === remoteHead ? `, which is ${at}` : ''}. A commit without a change is never approved.`,
    }
  }
  return {
    errorClass: 'nothing_to_ship',
    sentence:
      remoteHead === head
        ? `Nothing to ship: ${at} is at this commit already${shipped ? ', and it was shipped' : ''}.`
        : `${shortCommit(head)} was reviewed already, but ${at} was moved back to an older commit. ` +
          'Commit a change on top.',
  }
}
