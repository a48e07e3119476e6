// Brings the host's clone to the commit that is deployed, once every change up to it is proven to be reviewed.
import { relative } from 'node:path'
import type { ProjectConfig, TrustFile } from '#shared/config'
import type { ReviewEvidence } from '#shared/deployed'
import { Problem } from '#shared/errors'
import { commitId, shortCommit } from '#shared/ids'
import { evidenceRefspecs } from '#shared/statement'
import { sha256Of } from '#ops/base/sha256'
import type { HostPaths } from '#ops/base/paths/paths'
import { checkedFile } from '#ops/platform/git/checked-objects'
import { completeClone } from '#ops/platform/git/complete-clone'
import { commitOf, isAncestor } from '#ops/platform/git/commits'
import { hostGit } from '#ops/platform/git/host-git'
import { trackedBelow } from '#ops/platform/git/objects'
import { fetchRefs } from '#ops/platform/git/remote'
import { git, gitFailure, gitReason, gitText, type GitOptions } from '#ops/platform/git/run-git'
import { clearStaleLocks } from '#ops/platform/git/stale-locks'
import { gitDir } from '#ops/platform/git/work-tree'
import { trustOf } from '#ops/core/config/host-files'
import {
  acceptedBelow,
  rememberHistory,
  requireKnownHistory,
} from '#ops/core/host-state/known-history'
import { parseProjectConfig, projectConfigName } from '#ops/core/config/settings-files'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import type { DeployHost } from '#ops/features/deploy/state/facts'
import { excludeFromGit } from './exclude-artifacts.ts'
import { refuseUntrackedInTheWay, withResetNoted } from './untracked-in-the-way.ts'

export interface Synced {
  /** The target, on which the clone stands now. */
  readonly sha: string
  /** What origin's branch is. */
  readonly origin: string
  readonly tree: string
  /** Where the clone stood before; null when it had no commit. */
  readonly before: string | null
  readonly config: ProjectConfig
  /** Of the verdicts between the trusted baseline and the target. */
  readonly reviews: readonly ReviewEvidence[]
  readonly baseline: string
  /** SHA-256 of trust.json. */
  readonly trustDigest: string
}

interface Run {
  readonly signal?: AbortSignal
  readonly log: (text: string) => void
}

const untouched = 'The clone was not changed.'

/**
 * Fetches the branch and all reviews, proves that every change up to the target was reviewed, and only then resets the
 * clone to exactly that commit: what origin has, or a commit of its history for a rollback. Untracked files,
 * `artifacts/` among them, stay (never `git clean`); one that is in the way of the commit refuses it.
 * @throws {Problem} `git_fetch_failed`, `clone_incomplete`, `main_rewound`, `rollback_unavailable`,
 *   `unreviewed_commit`, `verdict_signature_invalid`, `verdict_mismatch`, `statement_mismatch`,
 *   `provider_not_accepted`, `config_invalid`, `artifacts_tracked`, `untracked_in_the_way`, `git_sync_failed`; until
 *   the reset the clone is as it was
 */
export async function syncToRemote(
  { paths, files, rollbackTo }: Pick<DeployHost, 'paths' | 'files' | 'rollbackTo'>,
  branch: string,
  run: Run,
): Promise<Synced> {
  const options = await hostGit(paths.root, run.signal)
  const must = { ...options, errorClass: 'git_sync_failed' as const }
  await clearStaleLocks(paths.root, options, run.log)
  const clone: Clone = {
    paths,
    gitDir: await gitDir(paths.root, must),
    branch,
    options,
    must,
    log: run.log,
  }
  const origin = await fetchOrigin(clone)
  run.log(`origin/${branch} is ${origin}`)
  const trust = trustOf(files, paths)
  const { baseline } = trust
  const fetched = await completeClone(
    paths.root,
    { remote: 'origin', tips: [origin], from: baseline },
    options,
  )
  if (fetched !== null) run.log(fetched)
  const known = await requireKnownHistory(paths, { branch, origin, baseline }, options)
  if (rollbackTo !== null) await requireInHistory(clone, rollbackTo, origin)
  const target = rollbackTo ?? origin
  const accepted = await acceptedBelow(paths.root, { accepted: known, baseline, target }, options)
  const reviews = await requireReviewed(clone, trust, { target, accepted })
  const config = await configAt(clone, target)
  await requireOwnArtifacts(clone, target)
  const { tree, before } = await resetTo(clone, target)
  await rememberHistory(paths, { branch, target, baseline }, clone.must)
  const trustDigest = sha256Of(files.trust ?? '')
  return { sha: target, origin, tree, before, config, reviews, baseline, trustDigest }
}

interface Clone {
  readonly paths: HostPaths
  readonly gitDir: string
  readonly branch: string
  readonly options: GitOptions
  /** Options of a git command whose failure ends the step. */
  readonly must: GitOptions & { readonly errorClass: 'git_sync_failed' }
  readonly log: (text: string) => void
}

/** Fetches the branch and all reviews. @returns the commit of origin's branch */
async function fetchOrigin({ paths, branch, options, must }: Clone): Promise<string> {
  const fetched = await fetchRefs(
    paths.root,
    {
      remote: 'origin',
      refs: [`+refs/heads/${branch}:refs/remotes/origin/${branch}`, ...evidenceRefspecs],
    },
    { ...options, timeLimitSeconds: 300 },
  )
  if (fetched.exitCode !== 0) {
    const why = fetched.timedOut ? 'it did not end in time' : gitReason(fetched)
    throw new Problem('git_fetch_failed', `Fetching from origin failed: ${why}. ${untouched}`, {
      evidence: gitFailure(fetched),
    })
  }
  return commitId.parse(
    await gitText(
      paths.root,
      ['rev-parse', '--verify', '--end-of-options', `refs/remotes/origin/${branch}^{commit}`],
      must,
    ),
  )
}

/** @throws {Problem} `rollback_unavailable` unless the commit is part of origin's history */
async function requireInHistory(
  { paths: { root }, branch, options, log }: Clone,
  to: string,
  origin: string,
): Promise<void> {
  const known = (await commitOf(root, to, options)) !== null
  if (!known || !(await isAncestor(root, { ancestor: to, commit: origin }, options)))
    throw new Problem(
      'rollback_unavailable',
      `Commit ${to} is not part of origin/${branch}. ${untouched}`,
    )
  log(`rolling back to ${to}`)
}

/** @returns what proves the verdicts between baseline and target */
async function requireReviewed(
  { paths, options, log }: Clone,
  { baseline, review_providers, keys }: TrustFile,
  { target, accepted }: { readonly target: string; readonly accepted: string | null },
): Promise<readonly ReviewEvidence[]> {
  const answer = await walkVerdicts({
    repo: paths.root,
    target,
    accepted,
    baseline,
    acceptedProviders: review_providers,
    keys: trustKeys(keys, paths.trustFile),
    git: options,
  })
  if (!answer.proven)
    throw new Problem(
      answer.errorClass,
      `Commit ${answer.commit} is not covered by a review: ${answer.reason}. ${untouched}`,
    )
  const reviews = answer.evidence.length
  log(
    reviews === 0
      ? 'the target is the trusted baseline'
      : `${reviews} review verdicts reach from the baseline to the target`,
  )
  return answer.evidence
}

/** The configuration in the target commit. @throws {Problem} `config_missing`, `config_invalid` */
async function configAt({ paths, branch, options }: Clone, target: string): Promise<ProjectConfig> {
  const text = await checkedFile(paths.root, { sha: target, name: projectConfigName }, options)
  if (text === null)
    throw new Problem(
      'config_missing',
      `Commit ${target} has no ${projectConfigName}. ${untouched}`,
    )
  const short = shortCommit(target)
  const config = parseProjectConfig(text, `${short}:${projectConfigName}`)
  if (config.branch !== branch)
    throw new Problem(
      'config_invalid',
      `${projectConfigName} of ${short} names the branch ${config.branch}, but this host follows ${branch}. ` +
        untouched,
    )
  return config
}

/**
 * The proof lies in the clone by default. A commit with a file or a link at that path would replace it at the reset.
 * @throws {Problem} `artifacts_tracked`
 */
async function requireOwnArtifacts({ paths, must }: Clone, target: string): Promise<void> {
  const { root, artifacts } = paths
  const inside = relative(root, artifacts)
  if (inside === '' || inside.startsWith('..')) return
  const tracked = await trackedBelow(root, { commit: target, path: inside }, must)
  if (tracked.length > 0)
    throw new Problem(
      'artifacts_tracked',
      `Commit ${target} tracks ${tracked[0]}, where this host keeps its proof. ${untouched}`,
      { evidence: tracked.slice(0, 50) },
    )
}

/** Resets the clone to exactly the target. @throws {Problem} `untracked_in_the_way`, `git_sync_failed` */
async function resetTo(
  { paths, gitDir, branch, options, must }: Clone,
  target: string,
): Promise<Pick<Synced, 'tree' | 'before'>> {
  const repo = paths.root
  await excludeFromGit(paths, gitDir, options)
  await refuseUntrackedInTheWay({ root: repo, options: must }, target)
  const head = await git(repo, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], options)
  await withResetNoted({ root: repo, options: must }, target, async () => {
    await gitText(repo, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`], must)
    await gitText(repo, ['reset', '--hard', '--quiet', target], { ...must, timeLimitSeconds: 300 })
  })
  const now = commitId.parse(await gitText(repo, ['rev-parse', '--verify', 'HEAD^{commit}'], must))
  const tree = commitId.parse(await gitText(repo, ['rev-parse', '--verify', 'HEAD^{tree}'], must))
  if (now !== target)
    throw new Problem(
      'git_sync_failed',
      `After the reset HEAD is ${now}, not ${target}: something else changes this clone.`,
    )
  const changed = await gitText(repo, ['status', '--porcelain', '--untracked-files=no'], must)
  if (changed !== '')
    throw new Problem('git_sync_failed', `After the reset tracked files differ from ${target}.`, {
      evidence: changed.split('\n').slice(0, 20),
    })
  return { tree, before: head.exitCode === 0 ? head.stdout.trim() : null }
}
