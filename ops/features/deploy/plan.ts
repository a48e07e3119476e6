// What deploy_until_green is to bring up: what origin has, or an earlier green commit.
import { existsSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { commitOf, isAncestor } from '#ops/platform/git/commits'
import { followedBranch, hostGit } from '#ops/platform/git/host-git'
import { git } from '#ops/platform/git/run-git'
import { readServing } from '#ops/core/host-state/service-record'
import { readGreenBuilds, type GreenBuild } from '#ops/host/engines/common/green-builds'
import { hasImage } from '#ops/host/engines/registry'
import type { DeployHost } from './state/facts.ts'
import { greenBefore } from './state/green-before.ts'
import { currentPin } from './state/project-state.ts'

/** `to` null: the last green commit before the one that serves. */
export type Plan =
  | { readonly kind: 'deploy'; readonly unpin: boolean }
  | { readonly kind: 'rollback'; readonly to: string | null }

interface PlanIO {
  readonly log: (text: string) => void
  readonly signal: AbortSignal
}

const untouched = 'Nothing was changed.'
const unavailable = (why: string, evidence: readonly string[] = []): Problem =>
  new Problem('rollback_unavailable', `${why} ${untouched}`, { evidence })

/**
 * The host with the commit it is to deploy. It only reads.
 * @throws {Problem} `rollback_unavailable`, `rolled_back`, `git_fetch_failed`, `state_invalid`
 */
export async function applyPlan(host: DeployHost, plan: Plan, io: PlanIO): Promise<DeployHost> {
  if (plan.kind === 'deploy') {
    if (!plan.unpin) await requireMoved(host, io)
    return { ...host, rollbackTo: null }
  }
  const build = await rollbackBuild(host, plan.to, io.signal)
  await requireKept(host, build, io.signal)
  await requireInOrigin(host, build.sha, io.signal)
  io.log(`rolling back to ${build.sha}`)
  return { ...host, rollbackTo: build.sha }
}

/** The green build that is rolled back to. @throws {Problem} `rollback_unavailable` when there is none */
async function rollbackBuild(
  { paths }: DeployHost,
  to: string | null,
  signal: AbortSignal,
): Promise<GreenBuild> {
  const serving = readServing(paths)?.sha ?? null
  if (serving === null)
    throw unavailable('No version is running on this host, so there is nothing to roll back.')
  if (to === serving) throw unavailable(`Commit ${to} is running already.`)
  const build =
    to === null
      ? await greenBefore(paths, serving, signal)
      : (readGreenBuilds(paths).findLast(({ sha }) => sha === to) ?? null)
  if (build === null)
    throw unavailable(
      to === null
        ? `No commit before ${serving} is among the last green deploys.`
        : `Commit ${to} is not among the last green deploys.`,
      readGreenBuilds(paths).map(({ sha }) => `green: ${sha}`),
    )
  return build
}

/** @throws {Problem} `rollback_unavailable` unless everything that the build runs from is still there */
async function requireKept(
  host: DeployHost,
  { sha, folder, images }: GreenBuild,
  signal: AbortSignal,
): Promise<void> {
  if (!existsSync(folder))
    throw unavailable(`The build of ${sha} is gone: ${folder} does not exist.`)
  for (const name of images)
    if (!(await hasImage(host, name, signal)))
      throw unavailable(`The image ${name} of ${sha} is gone.`)
}

/**
 * Checks the history that was fetched last; git_sync checks what it fetches again.
 * @throws {Problem} `rollback_unavailable` unless the commit is part of origin's branch
 */
async function requireInOrigin(
  { paths: { root } }: DeployHost,
  sha: string,
  signal: AbortSignal,
): Promise<void> {
  const branch = await followedBranch(root, signal)
  const options = await hostGit(root, signal)
  const origin = await commitOf(root, `refs/remotes/origin/${branch}`, options)
  const known = origin !== null && (await commitOf(root, sha, options)) !== null
  if (!known || !(await isAncestor(root, { ancestor: sha, commit: origin }, options)))
    throw unavailable(`Commit ${sha} is not part of origin/${branch}.`)
}

/**
 * A host that was rolled back goes forward again only when origin has moved on.
 * @throws {Problem} `rolled_back` while origin is what was rolled back from; `git_fetch_failed` when origin cannot be
 *   read
 */
async function requireMoved({ paths }: DeployHost, { log, signal }: PlanIO): Promise<void> {
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
      `This host is pinned by rollback ${pin.run_id}, and origin cannot be read now. ${untouched}`,
      { evidence: listed.stderrTail.split('\n') },
    )
  if (remote === pin.from_sha)
    throw new Problem(
      'rolled_back',
      `origin/${branch} is still ${remote}, from which rollback ${pin.run_id} went back to ${pin.sha}. ` +
        untouched,
    )
  log(
    `origin/${branch} has moved on from ${pin.from_sha}: the pin of rollback ${pin.run_id} ends with this deploy`,
  )
}
