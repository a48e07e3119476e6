import { Problem } from '#shared/errors'
import { commitOf, isAncestor } from '#ops/git/commits'
import { readRef } from '#ops/git/refs'
import { gitText, type GitOptions } from '#ops/git/run-git'

/** Where the clone remembers the newest commit of origin's branch that this host has accepted. Nothing fetches or prunes it. */
const knownRef = (branch: string): string => `refs/openclaw/accepted/${branch}`

/**
 * Every commit of a branch that was moved back, or over to another history, can have been reviewed and still be one that
 * must not serve: an old flaw brought back. Going back is what a rollback is for. What the host has accepted
 * therefore stays part of what it accepts, unless its owner sets the trust file's baseline to a commit of the new history.
 *
 * @param origin what origin's branch is now
 * @throws {Problem} `main_rewound`
 */
export async function requireKnownHistory(repo: string, { branch, origin, baseline }: { branch: string; origin: string; baseline: string }, options: GitOptions): Promise<void> {
  const known = await readRef(repo, knownRef(branch), options)
  if (known === null || await isAncestor(repo, known, origin, options)) return
  const setAnew = await commitOf(repo, baseline, options) !== null && !await isAncestor(repo, baseline, known, options)
  if (setAnew) return
  throw new Problem('main_rewound', `origin/${branch} is ${origin}, which no longer contains ${known}, a commit this host has accepted: the branch was moved back or replaced. The clone was not changed.`)
}

/**
 * Call it once the host stands on `target`, which was proven. Of a rollback only that is accepted: what origin has beyond it may
 * be unreviewed, and its owner must be free to take it out again.
 */
export async function rememberHistory(repo: string, { branch, target }: { branch: string; target: string }, options: GitOptions & { errorClass: 'git_sync_failed' }): Promise<void> {
  const known = await readRef(repo, knownRef(branch), options)
  if (known !== null && await isAncestor(repo, target, known, options)) return
  await gitText(repo, ['update-ref', knownRef(branch), target], options)
}
