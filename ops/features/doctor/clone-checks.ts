import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { git, gitText } from '#ops/platform/git/run-git'
import { findAccount } from '#ops/platform/accounts/accounts'
import { buildUser } from '#ops/platform/accounts/account'
import { ownerOf, type RunAs } from '#ops/base/process/run-as'
import { fail, pass, skip, warn, type Check, type Finding } from '#ops/core/checks/check'
import { cloneOf, gitSeconds, hasClone } from './clone.ts'
import type { DoctorContext } from '#ops/core/checks/context'

/** Settings of a clone that make git run a program, or look somewhere else, without anybody asking. HQ's own git ignores most of them; a person's does not. */
const unexpected =
  /^(?:core\.(?:hookspath|fsmonitor|worktree|gitproxy|attributesfile|alternaterefscommand|pager|editor)|diff\.external|diff\..*\.(?:command|textconv)|filter\..*\.(?:clean|smudge|process)|merge\..*\.driver|include\.path|includeif\..*\.path|gpg\.(?:.*\.)?program|alias\..*|uploadpack\.packobjectshook)$/

/** Would git read the clone, as whom does it run there, and is git's own guard against foreign clones on? */
async function safeDirectory(context: DoctorContext): Promise<Finding> {
  const {
    paths: { root },
    settings,
  } = context
  if (!hasClone(context)) return skip(`${root} is no clone yet.`)
  const as = ownerOf(root)
  const [me, folder, inside] = [
    as?.uid ?? process.geteuid?.(),
    lstatSync(root).uid,
    lstatSync(join(root, '.git')).uid,
  ]
  const whose = `${root} belongs to user ${[...new Set([folder, inside])].join(' and ')}, git runs as user ${me ?? 'unknown'}`
  try {
    await cloneOf(context)
  } catch (error) {
    if (error instanceof Problem)
      return fail(
        `Git refuses the clone: ${error.evidence[0] ?? error.message}. ${whose}.`,
        'repair_clone',
      )
    throw error
  }
  const odd: string[] = []
  const excused = await safeDirectories(root, as, gitSeconds(context))
  for (const { origin } of excused.filter(({ value }) => value === '*'))
    odd.push(
      `safe.directory = * in ${origin}: git obeys the settings of every folder, whoever owns it. HQ's own git does not read it`,
    )
  if (settings.launcher === 'systemd' && folder !== (await findAccount(buildUser))?.uid)
    odd.push(`The clone does not belong to ${buildUser}, as which git and builds should run`)
  if (odd.length > 0) return warn(`${odd.join('. ')}. ${whose}.`, 'repair_clone')
  return pass(
    `${whose}${excused.length > 0 ? `; safe.directory names ${excused.map(({ value }) => value).join(', ')}` : ''}`,
  )
}

/** Every value of safe.directory that a git of this account would see, and the file it stands in. */
async function safeDirectories(
  root: string,
  as: RunAs | undefined,
  timeLimitSeconds: number,
): Promise<{ origin: string; value: string }[]> {
  const { exitCode, stdout, stderrTail } = await git(
    root,
    ['config', '--show-origin', '--null', '--get-all', 'safe.directory'],
    { timeLimitSeconds, ...(as ? { as } : {}) },
  )
  // Exit 1: no such setting.
  if (exitCode !== 0 && exitCode !== 1)
    throw new Problem(
      'git_sync_failed',
      `The git configuration of this host cannot be read: ${stderrTail}`,
    )
  const fields = stdout.split('\0').slice(0, -1)
  return Array.from({ length: fields.length / 2 }, (_, i) => ({
    origin: (fields[2 * i] ?? '').replace(/^file:/, ''),
    value: fields[2 * i + 1] ?? '',
  }))
}

async function cloneConfig(context: DoctorContext): Promise<Finding> {
  const { root } = context.paths
  if (!hasClone(context)) return skip(`${root} is no clone yet.`)
  const { options, commonDir } = await cloneOf(context)
  const listed = await gitText(root, ['config', '--local', '--null', '--list'], {
    ...options,
    errorClass: 'git_sync_failed',
  })
  const values = listed
    .split('\0')
    .filter((each) => each !== '')
    .map((each) => [each.split('\n', 1)[0] ?? '', each.slice(each.indexOf('\n') + 1)] as const)
  const odd = values
    .filter(
      ([name, value]) => unexpected.test(name) && !(name === 'core.fsmonitor' && value === 'false'),
    )
    .map(([name, value]) => `${name} = ${value.slice(0, 100)}`)
  const alternates = join(commonDir, 'objects', 'info', 'alternates')
  if (existsSync(alternates)) odd.push(`${alternates} borrows objects from elsewhere`)
  return odd.length > 0
    ? warn(`Nothing of HQ sets this in a clone: ${odd.join('; ')}.`, 'repair_clone')
    : pass(`${values.length} settings, none of which runs a program or borrows objects`)
}

/** The clone that is deployed from: whose it is, and what it would make git do. */
export const cloneChecks = (context: DoctorContext): Check[] => [
  { name: 'safe_directory', remedy: 'repair_clone', run: () => safeDirectory(context) },
  { name: 'clone_config', remedy: 'repair_clone', run: () => cloneConfig(context) },
]
