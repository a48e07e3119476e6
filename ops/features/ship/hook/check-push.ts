// What the pre-push hook checks: every commit that would become the guarded branch is reviewed, and nothing is forced.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { commitId, shortCommit } from '#shared/ids'
import { verdictDocument } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { commitOf, isAncestor } from '#ops/platform/git/commits'
import { readBlob } from '#ops/platform/git/objects'
import { parseJson } from '#ops/base/files/json-file'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { acceptedBelow } from '#ops/core/host-state/known-history'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { configAt } from '#ops/features/ship/state/gate-settings'
import { shipsFolder, shipIds } from '#ops/features/ship/state/proof-folder'
import { acceptedProviders } from '#ops/features/ship/state/accepted-providers'
import { proofFiles } from '#ops/features/ship/review/proof-files'

/** One line of what git hands a pre-push hook; a null commit is a ref that does not exist (githooks(5)). */
export interface PushedRef {
  readonly remoteRef: string
  readonly commit: string | null
  readonly remoteCommit: string | null
}

const nothing = /^0+$/
const untouched = 'Nothing was pushed.'

/**
 * Every commit that would become the guarded branch must have a verdict that is bound to it and that starts from a
 * proven commit, and nothing may be forced. Other refs are not checked. The hook is only a reminder; the host enforces
 * it.
 *
 * @param repo root of the working tree, real path
 * @param home folder of the operator's settings
 * @returns what was found, one sentence part per guarded ref
 * @throws {Problem} `unreviewed_commit`, `forced_push`, `remote_moved`
 */
export async function checkPush(
  repo: string,
  home: string,
  pushed: readonly PushedRef[],
): Promise<string[]> {
  const found: string[] = []
  for (const each of pushed)
    if (await isGuarded(repo, each)) found.push(await refusePush(repo, home, each))
  return found
}

/** @throws {Problem} `invalid_request` for a line of another form */
export function parsePushedRefs(text: string): PushedRef[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, commit = '', remoteRef = '', remoteCommit = '', ...more] = line.split(' ')
      if (
        more.length > 0 ||
        !commitId.safeParse(commit).success ||
        !commitId.safeParse(remoteCommit).success ||
        remoteRef === ''
      )
        throw new Problem(
          'invalid_request',
          `git passed an unexpected line to the pre-push hook: ${JSON.stringify(line)}. ${untouched}`,
        )
      return {
        remoteRef,
        commit: nothing.test(commit) ? null : commit,
        remoteCommit: nothing.test(remoteCommit) ? null : remoteCommit,
      }
    })
}

/**
 * Is the branch guarded by what is checked out, by what is pushed, or by what it replaces? Without any configuration
 * `main` is guarded.
 */
async function isGuarded(
  repo: string,
  { remoteRef, commit, remoteCommit }: PushedRef,
): Promise<boolean> {
  const named = (
    await Promise.all(['HEAD', commit, remoteCommit].map((revision) => branchOf(repo, revision)))
  ).filter((name) => name !== null)
  return (named.length > 0 ? named : ['main']).some((name) => remoteRef === `refs/heads/${name}`)
}

/** Branch that the configuration of a commit names, or null: no such commit here, no configuration, or a broken one. */
async function branchOf(repo: string, revision: string | null): Promise<string | null> {
  const commit = revision === null ? null : await commitOf(repo, revision)
  if (commit === null) return null
  try {
    return (await configAt(repo, commit, {}))?.branch ?? null
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'config_invalid') return null
    throw error
  }
}

/** @returns what was found @throws {Problem} `forced_push`, `remote_moved`, `unreviewed_commit` */
async function refusePush(repo: string, home: string, pushed: PushedRef): Promise<string> {
  const branch = pushed.remoteRef.replace('refs/heads/', '')
  const settings = readOperatorSettings(home)
  const commit = await pushedCommit(repo, pushed, branch)
  const baseline = settings.baselines[repo]
  if (pushed.remoteCommit !== null) {
    const { remoteCommit } = pushed
    await refuseForced({ repo, commit, remoteCommit, branch })
  } else if (baseline === undefined)
    // Reviews start from the commit that a new remote begins with; there is nothing to review it against.
    return `${branch} is new on the remote and begins with ${shortCommit(commit)}`
  if (baseline === undefined)
    throw new Problem(
      'unreviewed_commit',
      'No change was shipped from this clone yet, ' +
        `so no review approved ${shortCommit(commit)}. ${untouched}`,
    )
  const own = readProofPublicKey(laptopProofPaths(home, repo))
  const answer = await walkVerdicts({
    repo,
    target: commit,
    baseline,
    // A host may have accepted what the remote has now.
    accepted: await acceptedBelow(repo, {
      accepted: pushed.remoteCommit,
      baseline,
      target: commit,
    }),
    acceptedProviders: acceptedProviders(settings),
    keys: trustKeys(own === null ? [] : [own], 'the ship key'),
    readVerdict: async (of) =>
      (await readBlob(repo, reviewRef(of), { tooLarge: 'verdict_mismatch' })) ??
      (of === commit ? shippedVerdict(repo, of) : null),
  })
  if (answer.proven) return `${shortCommit(commit)} is approved for ${branch}`
  const whichCommit = answer.commit === commit ? '' : `of ${shortCommit(answer.commit)} below it, `
  throw new Problem(
    'unreviewed_commit',
    `${shortCommit(commit)} must not be pushed to ${branch}: ${whichCommit}${answer.reason}. ${untouched}`,
  )
}

/** @throws {Problem} `forced_push` for a deletion, `unreviewed_commit` for what is not a commit */
async function pushedCommit(repo: string, { commit }: PushedRef, branch: string): Promise<string> {
  if (commit === null)
    throw new Problem('forced_push', `This push would delete ${branch}. ${untouched}`)
  if ((await commitOf(repo, commit)) !== commit)
    throw new Problem(
      'unreviewed_commit',
      `${shortCommit(commit)} is not a commit, so no review approved it. ${untouched}`,
    )
  return commit
}

/** @throws {Problem} `remote_moved`, `forced_push` */
async function refuseForced(push: ForcedCheck): Promise<void> {
  const { repo, commit, remoteCommit, branch } = push
  if ((await commitOf(repo, remoteCommit)) === null)
    throw new Problem(
      'remote_moved',
      `${branch} of the remote is at ${shortCommit(remoteCommit)}, which is not in this clone. ${untouched}`,
    )
  if (!(await isAncestor(repo, { ancestor: remoteCommit, commit })))
    throw new Problem(
      'forced_push',
      `This push would replace ${branch} at ${shortCommit(remoteCommit)} by ${shortCommit(commit)}, ` +
        `which does not contain ${shortCommit(remoteCommit)}. ${untouched}`,
    )
}

interface ForcedCheck {
  readonly repo: string
  readonly commit: string
  readonly remoteCommit: string
  readonly branch: string
}

/** Text of the newest verdict of a ship of `commit`, from the proofs of this clone. */
function shippedVerdict(repo: string, commit: string): string | null {
  for (const id of shipIds(repo)) {
    let text: string
    try {
      text = readFileSync(join(shipsFolder(repo), id, proofFiles.verdict), 'utf8')
      if (
        parseJson(text, verdictDocument, {
          errorClass: 'verdict_mismatch',
          origin: proofFiles.verdict,
        }).head_sha !== commit
      )
        continue
    } catch {
      continue // no verdict, or none that can be read: evidence of nothing
    }
    return text
  }
  return null
}
