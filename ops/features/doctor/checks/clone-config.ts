import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pass, skip, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { gitText } from '#ops/platform/git/run-git'
import { cloneOf, hasClone } from '../facts/clone.ts'

/**
 * Settings of a clone that make git run a program or read another folder. HQ's git ignores most of them; the git of a
 * person obeys them.
 */
const unexpected =
  /^(?:core\.(?:hookspath|fsmonitor|worktree|gitproxy|attributesfile|alternaterefscommand|pager|editor)|diff\.external|diff\..*\.(?:command|textconv)|filter\..*\.(?:clean|smudge|process)|merge\..*\.driver|include\.path|includeif\..*\.path|gpg\.(?:.*\.)?program|alias\..*|uploadpack\.packobjectshook)$/

export const cloneConfig: HostCheck = {
  name: 'clone_config',
  title: 'Settings of the clone',
  description: 'No setting of the clone makes git run a program or borrow objects.',
  remedies: ['repair_clone'],
  run: async (context) => {
    const { root } = context.paths
    if (!hasClone(context)) return skip(`${root} is not a clone yet.`)
    const { options, commonDir } = await cloneOf(context)
    const listed = await gitText(root, ['config', '--local', '--null', '--list'], {
      ...options,
      errorClass: 'git_sync_failed',
    })
    const values = listed
      .split('\0')
      .filter((each) => each !== '')
      .map((each) => [each.split('\n', 1)[0] ?? '', each.slice(each.indexOf('\n') + 1)] as const)
    const found = values
      .filter(
        ([name, value]) =>
          unexpected.test(name) && !(name === 'core.fsmonitor' && value === 'false'),
      )
      .map(([name, value]) => `${name} = ${value.slice(0, 100)}`)
    const alternates = join(commonDir, 'objects', 'info', 'alternates')
    if (existsSync(alternates)) found.push(`${alternates} borrows objects from elsewhere`)
    return found.length > 0
      ? warn(`HQ sets nothing like this in a clone: ${found.join('; ')}.`, 'repair_clone')
      : pass(`${values.length} settings, none of which runs a program or borrows objects`)
  },
}
