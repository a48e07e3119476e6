import { statfs } from 'node:fs/promises'
import { fail, pass, warn, type Check } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'

/** Percentage in use as `df` counts it: of what an ordinary user can use. */
const percent = (used: number, free: number): number =>
  used + free === 0 ? 0 : (used / (used + free)) * 100
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`

function diskCheck(name: string, folder: string, { settings }: DoctorContext): Check {
  return {
    name: `disk:${name}`,
    remedy: 'free_disk',
    run: async () => {
      const { blocks, bfree, bavail, bsize, files, ffree } = await statfs(folder)
      const space = percent(blocks - bfree, bavail)
      const inodes = percent(files - ffree, ffree)
      const worst = Math.max(space, inodes)
      const detail = `${folder}: ${space.toFixed(1)} % of the space in use, ${gib(bavail * bsize)} free; ${inodes.toFixed(1)} % of the inodes (warns at ${settings.disk_warn_percent} %, fails at ${settings.disk_fail_percent} %)`
      if (worst >= settings.disk_fail_percent) return fail(detail, 'free_disk')
      return worst >= settings.disk_warn_percent ? warn(detail, 'free_disk') : pass(detail)
    },
  }
}

/** Space and inodes wherever a deploy or a run writes. */
export const diskChecks = (context: DoctorContext): Check[] => [
  diskCheck('root', context.paths.root, context),
  diskCheck('state', context.paths.state, context),
  diskCheck('artifacts', context.paths.artifacts, context),
]
