import { statfs } from 'node:fs/promises'
import { fail, pass, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'

/** Space and inodes of a folder that a deploy or a run writes to. */
function diskCheck(folder: 'root' | 'state' | 'artifacts', title: string): HostCheck {
  return {
    name: `disk:${folder}`,
    title,
    description: 'The space and the inodes in use are below the limits of host.json.',
    remedies: ['free_disk'],
    run: async ({ paths, settings }) => {
      const { blocks, bfree, bavail, bsize, files, ffree } = await statfs(paths[folder])
      const space = percent(blocks - bfree, bavail)
      const inodes = percent(files - ffree, ffree)
      const highest = Math.max(space, inodes)
      const { disk_warn_percent: warnAt, disk_fail_percent: failAt } = settings
      const detail = [
        `${paths[folder]}: ${space.toFixed(1)} % of the space in use, ${gib(bavail * bsize)} free;`,
        `${inodes.toFixed(1)} % of the inodes (warns at ${warnAt} %, fails at ${failAt} %)`,
      ].join(' ')
      if (highest >= failAt) return fail(detail, 'free_disk')
      return highest >= warnAt ? warn(detail, 'free_disk') : pass(detail)
    },
  }
}

/** Percentage in use as `df` counts it: of what an ordinary user can use. */
const percent = (used: number, free: number): number =>
  used + free === 0 ? 0 : (used / (used + free)) * 100
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`

export const diskRoot = diskCheck('root', 'Disk of the clone')
export const diskState = diskCheck('state', 'Disk of the state')
export const diskArtifacts = diskCheck('artifacts', 'Disk of the artifacts')
