// Files that a repair is not expected to touch.
import { matchesGlob } from 'node:path'
import type { UntilGreen } from '#shared/result'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import type { GitOptions } from '#ops/platform/git/run-git'
import type { Change } from './change.ts'

/** Does one of `globs` match? Folder names may begin with a dot, which a plain glob does not match. */
export const isProtected = (path: string, globs: readonly string[]): boolean => {
  const undotted = path
    .split('/')
    .map((part) => part.replace(/^\.+(?=.)/, ''))
    .join('/')
  return globs.some((glob) => matchesGlob(path, glob) || matchesGlob(undotted, glob))
}

/** Files among the protected ones that differ between two commits, as the two trees have them. */
export async function protectedChanges(
  { repo, base, head }: Change,
  globs: readonly string[],
  options: GitOptions,
): Promise<UntilGreen['protected_changes']> {
  const files = await withNeutralGit(repo, (neutral) => neutral.changedFiles(base, head), options)
  return files
    .filter(({ path }) => isProtected(path, globs))
    .map(({ path, status }) => ({ path, status }))
}
