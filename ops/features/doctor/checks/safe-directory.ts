import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { ownerOf, type RunAs } from '#ops/base/process/run-as'
import { fail, pass, skip, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { buildUser } from '#ops/platform/accounts/account'
import { findAccount } from '#ops/platform/accounts/accounts'
import { git } from '#ops/platform/git/run-git'
import { cloneOf, gitSeconds, hasClone } from '../facts/clone.ts'

export const safeDirectory: HostCheck = {
  name: 'safe_directory',
  title: 'Owner of the clone',
  description: 'git reads the clone, which the build account owns, and obeys no foreign folder.',
  remedies: ['repair_clone'],
  run: async (context) => {
    const { settings, paths } = context
    const { root } = paths
    if (!hasClone(context)) return skip(`${root} is not a clone yet.`)
    const as = ownerOf(root)
    const folder = lstatSync(root).uid
    const owners = new Set([folder, lstatSync(join(root, '.git')).uid])
    const user = as?.uid ?? process.geteuid?.() ?? 'unknown'
    const owner = `${root} belongs to user ${[...owners].join(' and ')}, git runs as user ${user}`
    try {
      await cloneOf(context)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const reason = error.evidence[0] ?? error.message
      return fail(`Git refuses the clone: ${reason}. ${owner}.`, 'repair_clone')
    }
    const exceptions = await safeDirectories(root, as, gitSeconds(context))
    const warnings = exceptions
      .filter(({ value }) => value === '*')
      .map(
        ({ origin }) =>
          `safe.directory = * in ${origin}: git obeys the settings of every folder. HQ's git ignores this setting`,
      )
    if (settings.launcher === 'systemd' && folder !== (await findAccount(buildUser))?.uid)
      warnings.push(`The clone does not belong to ${buildUser}, as which git and builds should run`)
    if (warnings.length > 0) return warn(`${warnings.join('. ')}. ${owner}.`, 'repair_clone')
    const named = exceptions.map(({ value }) => value).join(', ')
    return pass(named === '' ? owner : `${owner}; safe.directory names ${named}`)
  },
}

/** Every value of safe.directory that git reads under this account, and the file that holds it. */
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
