import { matchesGlob } from 'node:path'
import type { UntilGreen } from '#shared/result'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import type { GitOptions } from '#ops/platform/git/run-git'

/** Does one of `globs` match? The names of folders may begin with a dot, which a plain glob passes over. */
export const isProtected = (path: string, globs: readonly string[]): boolean => {
  const undotted = path
    .split('/')
    .map((part) => part.replace(/^\.+(?=.)/, ''))
    .join('/')
  return globs.some((glob) => matchesGlob(path, glob) || matchesGlob(undotted, glob))
}

/** Files among the protected ones that differ between two commits, as the two trees have them. */
export async function protectedChanges(
  repo: string,
  from: string,
  to: string,
  globs: readonly string[],
  options: GitOptions,
): Promise<UntilGreen['protected_changes']> {
  const files = await withNeutralGit(repo, (neutral) => neutral.changedFiles(from, to), options)
  return files
    .filter(({ path }) => isProtected(path, globs))
    .map(({ path, status }) => ({ path, status }))
}
