// Makes a folder that the build account made HQ's own.
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { Problem } from '#shared/errors'
import { isInside } from '#ops/base/paths/inside'
import { takeTreeBack, type RunAs } from '#ops/base/process/run-as'

/** setuid, setgid and sticky bits, and write access for everybody. The group becomes this account's own. */
const forbiddenBits = 0o7002

/**
 * Copies a folder that another account made, so that only this account has it: new files, without another name for any
 * of them. Only regular files, folders, and links that stay inside are copied, and none that everybody may write.
 * @param as the other account, which has no process any more; undefined: it was this one
 * @throws {Problem} `hostd_install_failed`, naming the path, at anything else
 */
export async function adoptBuildOutput(
  from: string,
  to: string,
  as: RunAs | undefined,
): Promise<void> {
  if (!existsSync(from) || !lstatSync(from).isDirectory()) refuse(from, 'is not a folder')
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    errorOnExist: true,
    force: false,
    preserveTimestamps: true,
    filter: (path) => {
      requireAdoptable(from, path)
      return true
    },
  })
  takeTreeBack(to, as) // for root the system's copy keeps the owner
}

function refuse(path: string, why: string): never {
  throw new Problem(
    'hostd_install_failed',
    `${path} ${why}. Nothing was adopted, and the running hostd is untouched.`,
  )
}

function requireAdoptable(from: string, path: string): void {
  const info = lstatSync(path)
  if (info.isSymbolicLink()) {
    const target = readlinkSync(path)
    if (isAbsolute(target) || !isInside(from, resolve(dirname(path), target)))
      refuse(path, `is a link to ${target}`)
    return
  }
  if (!info.isFile() && !info.isDirectory()) refuse(path, 'is neither file nor folder')
  if ((info.mode & forbiddenBits) !== 0)
    refuse(path, `has the mode ${(info.mode & 0o7777).toString(8)}`)
}
