// The versions that a rollback can go to.
import type { HostPaths } from '#ops/base/paths/paths'
import { commitOf, isAncestor } from '#ops/platform/git/commits'
import { hostGit } from '#ops/platform/git/host-git'
import { readGreenBuilds, type GreenBuild } from '#ops/host/engines/common/green-builds'

/**
 * The newest green build whose commit lies before `sha` in the history. It is a strict ancestor, so that going back
 * never goes forward.
 */
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
