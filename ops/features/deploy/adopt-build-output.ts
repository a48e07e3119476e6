import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { Problem } from '#shared/errors'
import { takeTreeBack, type RunAs } from '#ops/base/process/run-as'

/** setuid, setgid and sticky bits, and what everybody may write. The group becomes this account's own. */
const forbiddenBits = 0o7002

/**
 * Copies a folder that another account made, so that from then on it is this account's alone: new files, no other name
 * for any of them. Takes regular files, folders, and links that stay inside, that not everybody may write; anything else
 * ends it.
 * @param as the other account, which has no process any more; undefined: it was this one
 * @throws {Problem} `hostd_install_failed`, naming the path
 */
export async function takeOver(from: string, to: string, as: RunAs | undefined): Promise<void> {
  const refuse = (path: string, why: string): never => {
    throw new Problem(
      'hostd_install_failed',
      `${path} ${why}. Nothing was taken over, and the hostd that runs is untouched.`,
    )
  }
  if (!existsSync(from) || !lstatSync(from).isDirectory()) refuse(from, 'is no folder')
  const inside = (path: string): boolean => {
    const way = relative(from, path)
    return way !== '..' && !way.startsWith('../') && !isAbsolute(way)
  }
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    errorOnExist: true,
    force: false,
    preserveTimestamps: true,
    filter: (path) => {
      const info = lstatSync(path)
      if (info.isSymbolicLink()) {
        const target = readlinkSync(path)
        if (isAbsolute(target) || !inside(resolve(dirname(path), target)))
          refuse(path, `is a link to ${target}`)
      } else if (!info.isFile() && !info.isDirectory()) refuse(path, 'is neither file nor folder')
      else if ((info.mode & forbiddenBits) !== 0)
        refuse(path, `has the mode ${(info.mode & 0o7777).toString(8)}`)
      return true
    },
  })
  takeTreeBack(to, as) // for root the system's copy keeps the owner
}
