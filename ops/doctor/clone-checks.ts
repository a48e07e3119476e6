import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { configValues } from '#ops/git/config-values'
import { gitText } from '#ops/git/run-git'
import { pass, skip, warn, fail, type Check, type Finding } from './check.ts'
import { cloneOf, hasClone } from './clone.ts'
import type { DoctorContext } from './context.ts'
import { Problem } from '#shared/errors'

/** Settings of a clone that make git run a program, or look somewhere else, without anybody asking. HQ's own git ignores most of them; a person's does not. */
const unexpected = /^(?:core\.(?:hookspath|fsmonitor|worktree|gitproxy|attributesfile|alternaterefscommand|pager|editor)|diff\.external|diff\..*\.(?:command|textconv)|filter\..*\.(?:clean|smudge|process)|merge\..*\.driver|include\.path|includeif\..*\.path|gpg\.(?:.*\.)?program|alias\..*|uploadpack\.packobjectshook)$/

const ownerOf = (path: string): number => lstatSync(path).uid

/** Would git read the clone as the user it runs as, and is that because the clone is that user's? */
async function safeDirectory(context: DoctorContext): Promise<Finding> {
  const { root } = context.paths
  if (!hasClone(context)) return skip(`${root} is no clone yet.`)
  const me = process.geteuid?.() ?? ownerOf(root)
  const whose = `${root} belongs to user ${[...new Set([ownerOf(root), ownerOf(join(root, '.git'))])].join(' and ')}, git runs as user ${me}`
  try {
    await cloneOf(context)
  } catch (error) {
    if (error instanceof Problem) return fail(`Git refuses the clone: ${error.evidence[0] ?? error.message}. ${whose}.`, 'repair_clone')
    throw error
  }
  const excused = await configValues(root, 'safe.directory', {})
  const all = excused.filter(({ value }) => value === '*')
  if (all.length > 0) return warn(`safe.directory = * in ${all.map(({ origin }) => origin.replace(/^file:/, '')).join(', ')}: git obeys the settings of every folder, whoever owns it. HQ's own git does not read it. ${whose}.`, 'repair_clone')
  return pass(`${whose}${excused.length > 0 ? `; safe.directory names ${excused.map(({ value }) => value).join(', ')}` : ''}`)
}

async function cloneConfig(context: DoctorContext): Promise<Finding> {
  const { root } = context.paths
  if (!hasClone(context)) return skip(`${root} is no clone yet.`)
  const { options, commonDir } = await cloneOf(context)
  const listed = await gitText(root, ['config', '--local', '--null', '--list'], { ...options, errorClass: 'git_sync_failed' })
  const values = listed.split('\0').filter((each) => each !== '').map((each) => [each.split('\n', 1)[0] ?? '', each.slice(each.indexOf('\n') + 1)] as const)
  const odd = values.filter(([name, value]) => unexpected.test(name) && !(name === 'core.fsmonitor' && value === 'false')).map(([name, value]) => `${name} = ${value.slice(0, 100)}`)
  const alternates = join(commonDir, 'objects', 'info', 'alternates')
  if (existsSync(alternates)) odd.push(`${alternates} borrows objects from elsewhere`)
  return odd.length > 0 ? warn(`Nothing of HQ sets this in a clone: ${odd.join('; ')}.`, 'repair_clone') : pass(`${values.length} settings, none of which runs a program or borrows objects`)
}

/** The clone that is deployed from: whose it is, and what it would make git do. */
export const cloneChecks = (context: DoctorContext): Check[] => [
  { name: 'safe_directory', remedy: 'repair_clone', run: () => safeDirectory(context) },
  { name: 'clone_config', remedy: 'repair_clone', run: () => cloneConfig(context) },
]
