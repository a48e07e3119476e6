// `$OPENCLAW_STATE/accepted.json`: what this host has accepted stays part of what it accepts.
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { commitId } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { checkedHistory, isCheckedAncestor } from '#ops/platform/git/checked-history'
import { commitOf } from '#ops/platform/git/commits'
import { readRef } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'

/** The newest commit of a branch of origin that this host has accepted, and the trust file's baseline at that time. */
const entry = z.strictObject({ branch: z.string().min(1), sha: commitId, baseline: commitId })
/** Out of reach of the account that owns the clone and could move every ref in it. */
const acceptedFile = z.strictObject({ schema_version: z.literal(1), branches: z.array(entry) })

/** Where releases before this file recorded it. */
const oldRef = (branch: string): string => `refs/openclaw/accepted/${branch}`

type Paths = Pick<HostPaths, 'root' | 'accepted'>
interface Known {
  readonly sha: string
  /** null: an older release recorded it. */
  readonly baseline: string | null
}

/**
 * Refuses a branch that was moved back, or over to another history. Every commit of it can have been reviewed and still
 * be one that must not serve: an old flaw brought back. Going back is what a rollback is for. The host's owner allows a
 * new history by setting the trust file's baseline to a commit of it.
 *
 * @param origin what origin's branch is now
 * @returns the accepted commit that the branch still contains; null: there is none
 * @throws {Problem} `main_rewound`; `state_invalid` when what was accepted cannot be read; `git_sync_failed` when the
 *   clone's objects were changed
 */
export async function requireKnownHistory(
  paths: Paths,
  { branch, origin, baseline }: { branch: string; origin: string; baseline: string },
  options: GitOptions,
): Promise<string | null> {
  const known = await knownOf(paths, branch, options)
  if (known === null) return null
  const { root } = paths
  if (await isCheckedAncestor(root, { ancestor: known.sha, commit: origin }, options))
    return known.sha
  if (known.baseline !== baseline && (await commitOf(root, baseline, options)) !== null) {
    const before = await checkedHistory(root, known.sha, options)
    // A clone without that commit is one of another repository: only the trust file's owner can have chosen it.
    if (before === null ? known.baseline !== null : !before.has(baseline)) return null
  }
  throw new Problem(
    'main_rewound',
    `origin/${branch} is ${origin}, which no longer contains ${known.sha}, a commit this host has accepted: ` +
      'the branch was moved back or replaced. The clone was not changed.',
  )
}

/** The newest commit of a branch that this host has accepted; null: none. @throws {Problem} `state_invalid` */
export const acceptedCommit = async (
  paths: Paths,
  branch: string,
  options: GitOptions,
): Promise<string | null> => (await knownOf(paths, branch, options))?.sha ?? null

/**
 * The commit that the reviews of `target` must pass through besides the baseline, so that none hides that it is undone.
 * What the baseline contains is trusted as it is, and a target that does not build on it goes back on purpose.
 * @param what `accepted`: newest commit that was accepted; null: none
 * @returns null: there is no such commit
 * @throws {Problem} `git_sync_failed` when the objects of `repo` were changed
 */
export async function acceptedBelow(
  repo: string,
  what: {
    readonly accepted: string | null
    readonly baseline: string
    readonly target: string
  },
  options: GitOptions = {},
): Promise<string | null> {
  const { accepted, baseline, target } = what
  if (accepted === null) return null
  const isIn = (commit: string): Promise<boolean> =>
    isCheckedAncestor(repo, { ancestor: accepted, commit }, options)
  return (await isIn(target)) && !(await isIn(baseline)) ? accepted : null
}

/**
 * Call it once the host stands on `target`, which was proven. Of a rollback only that commit is accepted: what origin
 * has beyond it may be unreviewed, and its owner must be free to remove it again.
 * @throws {Problem} `state_invalid`, `git_sync_failed`
 */
export async function rememberHistory(
  paths: Paths,
  { branch, target, baseline }: { branch: string; target: string; baseline: string },
  options: GitOptions,
): Promise<void> {
  const known = await knownOf(paths, branch, options)
  const isOlder =
    known !== null &&
    (await isCheckedAncestor(paths.root, { ancestor: target, commit: known.sha }, options))
  const sha = isOlder ? known.sha : target
  if (known?.sha === sha && known.baseline === baseline) return
  writeJson(
    paths.accepted,
    acceptedFile.parse({
      schema_version: 1,
      branches: [
        ...entriesOf(paths).filter((each) => each.branch !== branch),
        { branch, sha, baseline },
      ],
    }),
  )
}

const entriesOf = ({ accepted }: Paths): readonly z.infer<typeof entry>[] =>
  readJson(accepted, acceptedFile, 'state_invalid')?.branches ?? []

async function knownOf(paths: Paths, branch: string, options: GitOptions): Promise<Known | null> {
  const found = entriesOf(paths).find((each) => each.branch === branch)
  if (found) return found
  const sha = await readRef(paths.root, oldRef(branch), options)
  return sha === null ? null : { sha, baseline: null }
}
