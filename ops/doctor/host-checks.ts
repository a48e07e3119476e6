import { existsSync } from 'node:fs'
import { statfs, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readAdminToken } from '#ops/admin-token'
import { fail, pass, warn, type Check, type Finding } from './check.ts'
import type { DoctorContext } from './context.ts'
import { isBeforeFirstDeploy } from './deploy-checks.ts'

/** Percentage in use as `df` counts it: of what an ordinary user can use. */
const percent = (used: number, free: number): number => (used + free === 0 ? 0 : (used / (used + free)) * 100)
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`

function diskCheck(name: string, folder: string, { settings }: DoctorContext): Check {
  return {
    name: `disk:${name}`, remedy: 'free_disk',
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

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')

async function secretModes(context: DoctorContext): Promise<Finding> {
  const { paths } = context
  readAdminToken(paths.tokenFile) // throws on everything that hostd itself would refuse
  const trustMissing = !existsSync(paths.trustFile) && isBeforeFirstDeploy(context)
  const rules = [
    { path: paths.tokenFile, forbidden: 0o027 }, { path: join(paths.etc, 'secrets'), forbidden: 0o022 },
    ...(trustMissing ? [] : [{ path: paths.trustFile, forbidden: 0o022 }]), { path: paths.etc, forbidden: 0o022 },
  ]
  const seen: string[] = []
  const wrong: string[] = []
  for (const { path, forbidden } of rules) {
    const { mode } = await stat(path)
    seen.push(`${path} ${octal(mode)}`)
    if ((mode & forbidden) !== 0) wrong.push(`${path} has mode ${octal(mode)}, which ${(mode & forbidden & 0o022) === 0 ? 'lets others read it' : 'lets group or others write'}`)
  }
  if (wrong.length > 0) return fail(`${wrong.join('; ')}.`, 'enrol_host')
  return trustMissing ? warn(`${seen.join(', ')}; ${paths.trustFile} does not exist yet, so nothing can be deployed`, 'enrol_host') : pass(seen.join(', '))
}

/** Checks of the machine itself. */
export const hostChecks = (context: DoctorContext): Check[] => [
  diskCheck('root', context.paths.root, context), diskCheck('state', context.paths.state, context), diskCheck('artifacts', context.paths.artifacts, context),
  { name: 'secret_modes', remedy: 'enrol_host', run: () => secretModes(context) },
]
