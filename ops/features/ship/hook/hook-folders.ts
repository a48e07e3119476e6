// Folders of hooks that belong to the repository: a setting that names one of them turns no hook off.
import { realpathSync, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { commonDir } from '#ops/platform/git/work-tree'

/** Where a repository that ships keeps its hooks: tracked, so that every clone has the same ones. */
export const hooksFolder = '.githooks'

/** Where hook managers keep theirs, as the end of a path: husky since version 4, husky since version 9, lefthook. */
const managedFolders = ['.husky', join('.husky', '_'), '.lefthook']

/** Git's own folder of hooks: pre-commit, lefthook, simple-git-hooks and Git LFS write into it. */
export const defaultHooksFolder = async (repo: string): Promise<string> =>
  join(await commonDir(repo), 'hooks')

/**
 * @param repo root of the working tree, to which git relates a relative value
 * @param folders further folders that count
 */
export function runsHooks(repo: string, value: string, folders: readonly string[]): boolean {
  const folder = resolve(repo, value)
  if (folder === join(repo, hooksFolder) || folders.includes(folder)) return true
  const isManaged = managedFolders.some((end) => folder.endsWith(sep + end))
  return isManaged && liesInside(repo, folder)
}

/** Also with every link followed. A folder that does not exist runs no hook. */
function liesInside(repo: string, folder: string): boolean {
  if (!folder.startsWith(repo + sep) || !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    return false
  return realpathSync(folder).startsWith(realpathSync(repo) + sep)
}
