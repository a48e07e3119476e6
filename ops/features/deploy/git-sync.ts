import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { commitId } from '#shared/ids'
import { Problem } from '#shared/errors'
import type { ProjectConfig, TrustFile } from '#shared/config'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { commitOf, isAncestor } from '#ops/platform/git/commits'
import { trackedAt } from '#ops/platform/git/objects'
import { git, gitFailure, gitText, type GitOptions } from '#ops/platform/git/run-git'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import type { HostPaths } from '#ops/base/paths/paths'
import { processIds } from '#ops/base/process/process-stat'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { parseProjectConfig, projectConfigName } from '#ops/core/config/settings-files'
import { trustOf } from '#ops/core/config/host-files'
import { checkedFile } from '#ops/platform/git/checked-objects'
import { hostGit } from '#ops/platform/git/host-git'
import type { DeployHost } from './facts.ts'
import { rememberHistory, requireKnownHistory } from './known-history.ts'

export interface Synced {
  readonly sha: string
  /** What origin's branch is. */ readonly origin: string
  readonly tree: string
  readonly before: string | null
  readonly config: ProjectConfig
  readonly reviews: number
}

/**
 * Fetches the branch and all reviews, proves that every change up to the target was reviewed, and only then resets the
 * clone to exactly that commit: what origin has, or a commit of its history for a rollback. Untracked files, `artifacts/` among them, stay (never `git clean`).
 *
 * @param host `rollbackTo`: commit to roll back to; null goes to what origin has
 * @throws {Problem} `git_fetch_failed` · `main_rewound` · `rollback_unavailable` · `unreviewed_commit` · `verdict_signature_invalid` · `verdict_mismatch` · `provider_not_accepted` · `config_invalid` · `git_sync_failed`; until the reset the clone is as it was
 */
export async function syncToRemote(
  { paths, files, rollbackTo: to }: Pick<DeployHost, 'paths' | 'files' | 'rollbackTo'>,
  branch: string,
  { signal, log }: { signal?: AbortSignal; log: (text: string) => void },
): Promise<Synced> {
  const repo = paths.root
  const options = await hostGit(repo, signal)
  const must: GitOptions & { errorClass: 'git_sync_failed' } = {
    ...options,
    errorClass: 'git_sync_failed',
  }
  const gitDir = resolve(repo, await gitText(repo, ['rev-parse', '--git-dir'], must))
  await fetchAll(repo, branch, options)
  const origin = commitId.parse(
    await gitText(
      repo,
      ['rev-parse', '--verify', '--end-of-options', `refs/remotes/origin/${branch}^{commit}`],
      must,
    ),
  )
  log(`origin/${branch} is ${origin}`)
  const trust = trustOf(files, paths)
  const { baseline } = trust
  await requireKnownHistory(paths, { branch, origin, baseline }, options)
  const target = to ?? origin
  if (to !== null) {
    if (
      (await commitOf(repo, to, options)) === null ||
      !(await isAncestor(repo, { ancestor: to, commit: origin }, options))
    )
      throw new Problem(
        'rollback_unavailable',
        `Commit ${to} is no part of origin/${branch}. The clone was not changed.`,
      )
    log(`rolling back to ${to}`)
  }
  const reviews = await requireReviewed(paths, trust, target, options)
  log(
    reviews === 0
      ? 'the target is the trusted baseline'
      : `${reviews} review verdicts reach from the baseline to the target`,
  )
  const text = await checkedFile(repo, { sha: target, name: projectConfigName }, options)
  if (text === null)
    throw new Problem(
      'config_invalid',
      `Commit ${target} has no ${projectConfigName}. The clone was not changed.`,
    )
  const config = parseProjectConfig(text, `${target.slice(0, 12)}:${projectConfigName}`)
  if (config.branch !== branch)
    throw new Problem(
      'config_invalid',
      `${projectConfigName} of ${target.slice(0, 12)} names the branch ${config.branch}, but this host follows ${branch}. The clone was not changed.`,
    )

  await requireOwnArtifacts(paths, target, must)
  await excludeArtifacts(paths, gitDir, options)
  clearStaleLock(repo, join(gitDir, 'index.lock'), log)
  const head = await git(repo, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], options)
  await gitText(repo, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`], must)
  await gitText(repo, ['reset', '--hard', '--quiet', target], { ...must, timeLimitSeconds: 300 })
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
  await rememberHistory(paths, { branch, target, baseline }, must)
  return {
    sha: target,
    origin,
    tree,
    before: head.exitCode === 0 ? head.stdout.trim() : null,
    config,
    reviews,
  }
}

async function fetchAll(repo: string, branch: string, options: GitOptions): Promise<void> {
  const fetched = await git(
    repo,
    [
      'fetch',
      '--prune',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-auto-maintenance',
      '--no-write-fetch-head',
      '--end-of-options',
      'origin',
      `+refs/heads/${branch}:refs/remotes/origin/${branch}`,
      '+refs/openclaw/reviews/*:refs/openclaw/reviews/*',
    ],
    { ...options, timeLimitSeconds: 300 },
  )
  if (fetched.exitCode === 0) return
  const why = fetched.timedOut
    ? 'it did not end in time'
    : (gitFailure(fetched).at(-1) ?? 'no reason given')
  throw new Problem(
    'git_fetch_failed',
    `Fetching from origin failed: ${why}. The clone was not changed.`,
    { evidence: gitFailure(fetched) },
  )
}

/** @returns how many verdicts lie between baseline and target */
async function requireReviewed(
  paths: HostPaths,
  { baseline, review_providers, keys }: TrustFile,
  target: string,
  options: GitOptions,
): Promise<number> {
  const answer = await walkVerdicts({
    repo: paths.root,
    target,
    baseline,
    acceptedProviders: review_providers,
    keys: trustKeys(keys, paths.trustFile),
    git: options,
  })
  if (answer.proven) return answer.chain.length
  throw new Problem(
    answer.errorClass,
    `Commit ${answer.commit} is not covered by a review: ${answer.reason}. The clone was not changed.`,
  )
}

/** Proof lies in the clone by default. A commit with a file, or a link, in its place would replace it at the reset. @throws {Problem} `config_invalid` */
async function requireOwnArtifacts(
  { root, artifacts }: HostPaths,
  target: string,
  options: GitOptions,
): Promise<void> {
  const inside = relative(root, artifacts)
  if (inside === '' || inside.startsWith('..')) return
  const tracked = await trackedAt(root, { commit: target, path: inside }, options)
  if (tracked !== null)
    throw new Problem(
      'config_invalid',
      `Commit ${target} tracks ${tracked}, where this host keeps its proof. The clone was not changed.`,
    )
}

/**
 * Proof lies in the clone by default; git must neither show nor touch it. Read and written as the owner of the clone: it
 * could have made a link of the file.
 */
async function excludeArtifacts(
  { root, artifacts }: HostPaths,
  gitDir: string,
  options: GitOptions,
): Promise<void> {
  const inside = relative(root, artifacts)
  if (inside === '' || inside.startsWith('..')) return
  const ignored = await git(
    root,
    ['check-ignore', '--quiet', '--no-index', '--', `${inside}/`],
    options,
  )
  if (ignored.exitCode === 0) return
  const as = options.as ? { as: options.as } : {}
  const info = join(gitDir, 'info')
  for (const argv of [
    ['mkdir', '-p', '--', info],
    ['tee', '-a', '--', join(info, 'exclude')],
  ]) {
    const { exitCode, stderrTail } = await runCommand(argv, {
      cwd: root,
      env: baseEnv(),
      timeLimitSeconds: 30,
      input: `\n/${inside}/\n`,
      ...as,
      ...(options.signal ? { signal: options.signal } : {}),
    })
    if (exitCode !== 0)
      throw new Problem(
        'git_sync_failed',
        `${join(info, 'exclude')} cannot be written: ${stderrTail.split('\n').at(-1) || 'no reason given'}. The clone was not changed.`,
      )
  }
}

/** A lock file that a killed git left behind is removed, but only when no git lives in this clone. */
function clearStaleLock(repo: string, lock: string, log: (text: string) => void): void {
  if (!existsSync(lock)) return
  const living = process.platform === 'linux' ? gitProcesses(repo) : null
  if (living === null)
    throw new Problem(
      'git_sync_failed',
      `${lock} exists, and whether a git still works in the clone cannot be seen on this system. The clone was not changed.`,
    )
  if (living.length > 0)
    throw new Problem(
      'git_sync_failed',
      `${lock} is held: git process ${living.join(', ')} works in the clone. The clone was not changed.`,
    )
  rmSync(lock, { force: true })
  log(`removed ${lock}: no git works in the clone`)
}

function gitProcesses(repo: string): number[] {
  const root = realpathSync(repo)
  return processIds().flatMap((pid) => {
    try {
      if (!/^git(-|$)/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())) return []
      const cwd = readlinkSync(`/proc/${pid}/cwd`)
      return cwd === root || cwd.startsWith(`${root}/`) ? [pid] : []
    } catch {
      return [] // it has ended
    }
  })
}
