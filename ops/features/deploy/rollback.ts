import { existsSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { hasImage } from '#ops/host/engines/registry'
import { readGreenBuilds, type GreenBuild } from '#ops/host/engines/common/green-builds'
import { readServing } from '#ops/core/host-state/service-record'
import { commitOf, isAncestor } from '#ops/platform/git/commits'
import { git } from '#ops/platform/git/run-git'
import type { HostPaths } from '#ops/base/paths/paths'
import type { DeployHost } from './facts.ts'
import { followedBranch, hostGit } from '#ops/platform/git/host-git'
import { currentPin } from './project-state.ts'

/** What deploy_until_green is to bring up. `to` null: the last green commit before the one that serves. */
export type Plan =
  | { readonly kind: 'deploy'; readonly unpin: boolean }
  | { readonly kind: 'rollback'; readonly to: string | null }

interface Hands {
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

/** The green build that was newest before `sha` in the history: a strict ancestor, so that going back never goes forward. */
export async function greenBefore(
  paths: HostPaths,
  sha: string,
  signal: AbortSignal,
): Promise<GreenBuild | null> {
  const options = await hostGit(paths.root, signal)
  for (const build of readGreenBuilds(paths).toReversed()) {
    if (build.sha === sha || (await commitOf(paths.root, build.sha, options)) === null) continue
    if (await isAncestor(paths.root, { ancestor: build.sha, commit: sha }, options)) return build
  }
  return null
}

const untouched = 'Nothing was changed.'

/** @throws {Problem} `rollback_unavailable` when there is nothing to go back to, or what it needs is gone */
async function rollbackTarget(
  host: DeployHost,
  to: string | null,
  signal: AbortSignal,
): Promise<string> {
  const { paths } = host
  const serving = readServing(paths)?.sha ?? null
  if (serving === null)
    throw new Problem(
      'rollback_unavailable',
      `Nothing serves on this host, so there is nothing to roll back from. ${untouched}`,
    )
  if (to === serving)
    throw new Problem('rollback_unavailable', `Commit ${to} is what serves already. ${untouched}`)
  const build =
    to === null
      ? await greenBefore(paths, serving, signal)
      : (readGreenBuilds(paths).findLast(({ sha }) => sha === to) ?? null)
  if (build === null)
    throw new Problem(
      'rollback_unavailable',
      to === null
        ? `No deploy of an earlier commit than ${serving} is among the last green ones. ${untouched}`
        : `Commit ${to} is none of the last green ones. ${untouched}`,
      { evidence: readGreenBuilds(paths).map(({ sha }) => `green: ${sha}`) },
    )
  if (!existsSync(build.folder))
    throw new Problem(
      'rollback_unavailable',
      `The build of ${build.sha} is gone: ${build.folder} does not exist. ${untouched}`,
    )
  for (const name of build.images) {
    if (!(await hasImage(host, name, signal)))
      throw new Problem(
        'rollback_unavailable',
        `The image ${name} of ${build.sha} is gone. ${untouched}`,
      )
  }
  const branch = await followedBranch(paths.root, signal)
  const options = await hostGit(paths.root, signal)
  // What was fetched last; git_sync asks the same again of what it fetches.
  const known = await commitOf(paths.root, `refs/remotes/origin/${branch}`, options)
  if (
    known === null ||
    (await commitOf(paths.root, build.sha, options)) === null ||
    !(await isAncestor(paths.root, { ancestor: build.sha, commit: known }, options))
  )
    throw new Problem(
      'rollback_unavailable',
      `Commit ${build.sha} is no part of origin/${branch}. ${untouched}`,
    )
  return build.sha
}

/** @throws {Problem} `rolled_back` while origin is what was rolled back from; `git_fetch_failed` when that cannot be known */
async function requireMoved({ paths }: DeployHost, { say, signal }: Hands): Promise<void> {
  const pin = currentPin(paths)
  if (pin === null) return
  const branch = await followedBranch(paths.root, signal)
  const ref = `refs/heads/${branch}`
  const listed = await git(paths.root, ['ls-remote', '--end-of-options', 'origin', ref], {
    ...(await hostGit(paths.root, signal)),
    timeLimitSeconds: 60,
  })
  const remote = listed.stdout
    .split('\n')
    .map((line) => line.split('\t'))
    .find(([, name]) => name === ref)?.[0]
  if (listed.exitCode !== 0 || remote === undefined)
    throw new Problem(
      'git_fetch_failed',
      `This host is pinned by rollback ${pin.run_id}, and what origin has now cannot be read. ${untouched}`,
      { evidence: listed.stderrTail.split('\n') },
    )
  if (remote === pin.from_sha)
    throw new Problem(
      'rolled_back',
      `origin/${branch} is still ${remote}, from which rollback ${pin.run_id} went back to ${pin.sha}. ${untouched}`,
    )
  say(
    `origin/${branch} has moved on from ${pin.from_sha}: the pin of rollback ${pin.run_id} ends with this deploy`,
  )
}

/** The host with what it is to deploy. Only reads. @throws {Problem} `rollback_unavailable`, `rolled_back`, `git_fetch_failed`, `state_invalid` */
export async function planned(host: DeployHost, plan: Plan, hands: Hands): Promise<DeployHost> {
  if (plan.kind === 'deploy') {
    if (!plan.unpin) await requireMoved(host, hands)
    return { ...host, rollbackTo: null }
  }
  const rollbackTo = await rollbackTarget(host, plan.to, hands.signal)
  hands.say(`rolling back to ${rollbackTo}`)
  return { ...host, rollbackTo }
}
