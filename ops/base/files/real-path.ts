// A path with every link in it followed, also where its end does not exist yet.
import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { hasCode } from '#shared/system-error'

/** Links in a row that Linux follows (path_resolution(7)). */
const maxLinks = 40

function linkTarget(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? resolve(dirname(path), readlinkSync(path)) : null
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null
    throw error
  }
}

/**
 * Where a program that creates or opens `path` ends up. A missing end is created below the real folder, so
 * `link/new` is judged as `target/new`, and a link to a missing target as that target.
 * @param path absolute
 * @throws {Error} the error of the system when the path cannot be read, or its links run in a circle
 */
export function realPath(path: string, links = maxLinks): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ENOTDIR')) throw error
    const target = links > 0 ? linkTarget(path) : null
    if (target !== null) return realPath(target, links - 1)
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent, links), basename(path))
  }
}
