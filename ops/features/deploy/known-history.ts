import { z } from 'zod'
import { commitId } from '#shared/ids'
import { Problem } from '#shared/errors'
import { commitOf } from '#ops/platform/git/commits'
import { readRef } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { checkedHistory, isCheckedAncestor } from './checked-history.ts'

/** The newest commit of a branch of origin that this host has accepted, and what the trust file's baseline was then. */
const entry = z.strictObject({ branch: z.string().min(1), sha: commitId, baseline: commitId })
/** `$OPENCLAW_STATE/accepted.json`: out of reach of the account that owns the clone and could move every ref in it. */
const acceptedFile = z.strictObject({ schema_version: z.literal(1), branches: z.array(entry) })

/** Where releases before this file remembered it. */
const oldRef = (branch: string): string => `refs/openclaw/accepted/${branch}`

type Places = Pick<HostPaths, 'root' | 'accepted'>
interface Known {
  readonly sha: string
  /** null: an older release remembered it. */ readonly baseline: string | null
}

const entriesOf = ({ accepted }: Places): readonly z.infer<typeof entry>[] =>
  readJson(accepted, acceptedFile, 'state_invalid')?.branches ?? []

async function knownOf(paths: Places, branch: string, options: GitOptions): Promise<Known | null> {
  const found = entriesOf(paths).find((each) => each.branch === branch)
  if (found) return found
  const sha = await readRef(paths.root, oldRef(branch), options)
  return sha === null ? null : { sha, baseline: null }
}

/**
 * Every commit of a branch that was moved back, or over to another history, can have been reviewed and still be one that
 * must not serve: an old flaw brought back. Going back is what a rollback is for. What the host has accepted
 * therefore stays part of what it accepts, unless its owner sets the trust file's baseline to a commit of the new history.
 *
 * @param origin what origin's branch is now
 * @throws {Problem} `main_rewound`; `state_invalid` when what was accepted cannot be read; `git_sync_failed` when the clone's objects were changed
 */
export async function requireKnownHistory(
  paths: Places,
  { branch, origin, baseline }: { branch: string; origin: string; baseline: string },
  options: GitOptions,
): Promise<void> {
  const known = await knownOf(paths, branch, options)
  if (known === null || (await isCheckedAncestor(paths.root, known.sha, origin, options))) return
  if (known.baseline !== baseline && (await commitOf(paths.root, baseline, options)) !== null) {
    const before = await checkedHistory(paths.root, known.sha, options)
    // A clone without it is one of another repository: only the trust file's owner can have meant that.
    if (before === null ? known.baseline !== null : !before.has(baseline)) return
  }
  throw new Problem(
    'main_rewound',
    `origin/${branch} is ${origin}, which no longer contains ${known.sha}, a commit this host has accepted: the branch was moved back or replaced. The clone was not changed.`,
  )
}

/**
 * Call it once the host stands on `target`, which was proven. Of a rollback only that is accepted: what origin has beyond it may
 * be unreviewed, and its owner must be free to take it out again.
 */
export async function rememberHistory(
  paths: Places,
  { branch, target, baseline }: { branch: string; target: string; baseline: string },
  options: GitOptions,
): Promise<void> {
  const known = await knownOf(paths, branch, options)
  const sha =
    known !== null && (await isCheckedAncestor(paths.root, target, known.sha, options))
      ? known.sha
      : target
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
