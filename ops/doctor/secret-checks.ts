import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readAdminToken } from '#ops/admin-token'
import { hostProofPlaces } from '#ops/proof/places'
import type { HostPaths } from '#ops/paths'
import { fail, pass, warn, type Check, type Finding } from './check.ts'
import type { DoctorContext } from './context.ts'
import { isBeforeFirstDeploy } from './deploy-checks.ts'

interface Rule {
  readonly path: string
  readonly kind: 'file' | 'folder'
  /** Bits that nobody may have. */
  readonly forbidden: number
  /** What an installed host has, to the letter. */
  readonly exact?: { readonly mode: number; readonly uid: number; readonly gid?: number }
  /** A host does without it until it is first used. */
  readonly optional?: boolean
}

/** Account of the containers, which connector secrets belong to (design §4). */
const containerAccount = 1000

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')

async function found(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function rulesOf(paths: HostPaths): Rule[] {
  const { keyFile } = hostProofPlaces(paths)
  return [
    { path: paths.etc, kind: 'folder', forbidden: 0o022, exact: { mode: 0o755, uid: 0 } },
    { path: join(paths.etc, 'secrets'), kind: 'folder', forbidden: 0o022, exact: { mode: 0o751, uid: 0 } },
    { path: paths.tokenFile, kind: 'file', forbidden: 0o027, exact: { mode: 0o640, uid: 0 } },
    { path: paths.trustFile, kind: 'file', forbidden: 0o022 },
    { path: paths.shipKeysFile, kind: 'file', forbidden: 0o022, optional: true },
    { path: paths.hostSettings, kind: 'file', forbidden: 0o022, optional: true },
    { path: dirname(keyFile), kind: 'folder', forbidden: 0o077, exact: { mode: 0o700, uid: 0 }, optional: true },
    { path: keyFile, kind: 'file', forbidden: 0o077, exact: { mode: 0o600, uid: 0 }, optional: true },
  ]
}

/** Every folder and file of the connectors, as deep as they go. */
async function connectorRules(folder: string): Promise<Rule[]> {
  const at = await found(folder)
  if (at === null) return []
  const rules: Rule[] = [{ path: folder, kind: 'folder', forbidden: 0o027, exact: { mode: 0o750, uid: 0, gid: containerAccount } }]
  if (!at.isDirectory()) return rules
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    rules.push({ path, kind: 'file', forbidden: 0o037, exact: { mode: 0o640, uid: containerAccount, gid: containerAccount } })
  }
  return rules
}

/** @returns what is wrong with it, or null @param strict owners and modes must be those of an installed host */
function wrongWith({ path, kind, forbidden, exact }: Rule, { mode, uid, gid, ...type }: Stats, strict: boolean): string | null {
  if ((mode & 0o170000) === 0o120000) return `${path} is a symbolic link`
  if ((mode & 0o170000) !== (kind === 'file' ? 0o100000 : 0o040000)) return `${path} is no ${kind === 'file' ? 'regular file' : 'folder'}`
  if (kind === 'file' && type.nlink > 1) return `${path} has ${type.nlink} names, so another one of them may be open to others`
  const bits = mode & forbidden
  if (bits !== 0) return `${path} has mode ${octal(mode)}, which ${(bits & 0o022) === 0 ? 'lets others read it' : 'lets group or others write'}`
  if (!strict || exact === undefined) return null
  const owner = exact.uid !== uid || (exact.gid !== undefined && exact.gid !== gid)
  if (!owner && exact.mode === (mode & 0o7777)) return null
  return `${path} is ${octal(mode)} ${uid}:${gid}, not ${octal(exact.mode)} ${exact.uid}:${exact.gid ?? gid}`
}

async function secretModes(context: DoctorContext): Promise<Finding> {
  const { paths, settings } = context
  const strict = settings.launcher === 'systemd'
  const early = isBeforeFirstDeploy(context)
  const seen: string[] = []
  const wrong: string[] = []
  for (const rule of [...rulesOf(paths), ...await connectorRules(join(paths.etc, 'secrets', 'soma_kajabi'))]) {
    const at = await found(rule.path)
    if (at === null) {
      if (rule.optional !== true && !(rule.path === paths.trustFile && early)) wrong.push(`${rule.path} is missing`)
      continue
    }
    const why = wrongWith(rule, at, strict)
    if (why !== null) wrong.push(why)
    seen.push(`${rule.path} ${octal(at.mode)}`)
  }
  if (wrong.length > 0) return fail(`${wrong.join('; ')}.`, 'protect_secrets')
  readAdminToken(paths.tokenFile) // throws on everything else that hostd itself would refuse
  const detail = `${seen.length} files and folders${strict ? ', owners too' : ''}: ${seen.join(', ')}`
  if (await found(paths.trustFile) === null) return warn(`${detail}; ${paths.trustFile} does not exist yet, so nothing can be deployed`, 'enrol_host')
  return pass(detail)
}

/** Nobody but who has to can read a secret or change what is trusted. */
export const secretChecks = (context: DoctorContext): Check[] => [{ name: 'secret_modes', remedy: 'protect_secrets', run: () => secretModes(context) }]
