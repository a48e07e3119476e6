// Installs the pre-push hook in a working tree, and records in the clone where HQ is.
import { chmodSync, lstatSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { hasCode } from '#shared/system-error'
import type { Environment } from '#ops/base/env'
import { git, gitText } from '#ops/platform/git/run-git'
import { topLevel } from '#ops/platform/git/work-tree'
import { writeWhole } from '#ops/base/files/json-file'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import { hooksFolder } from './hook-folders.ts'
import { otherHookManagers } from './hook-managers.ts'

const hookName = 'pre-push'
/** The line that identifies a hook as HQ's, whatever its version. */
const mark = '# OpenClaw HQ pre-push hook'

/** Tracked, so it names nothing of this machine: the clone's own configuration says where HQ is. */
const hookText = `#!/bin/sh
${mark}, installed by \`hq ship --init\`.
# It refuses a push of an unapproved main. It is only a reminder: \`git push --no-verify\` skips it. What protects
# production is the host, which deploys only commits that a review approved.
node=$(git config --get openclaw.node) && hq=$(git config --get openclaw.hq) && [ -x "$node" ] && [ -f "$hq" ] || {
  echo 'OpenClaw HQ is not set up in this clone, so nothing was pushed. Set it up by: hq ship --init' >&2
  exit 1
}
exec "$node" "$hq" check-push "$@"
`

/**
 * A second run finds nothing to do.
 *
 * @param folder any folder of the working tree
 * @returns what was changed, a sentence part each; empty when everything was in place
 * @throws {Problem} `not_a_repository`; `hook_manager_present`, naming it: then nothing was changed
 */
export async function installPushHook(folder: string, env: Environment): Promise<string[]> {
  const repo = realpathSync(await topLevel(folder))
  const others = await otherHookManagers(repo, env)
  if (others.length > 0)
    throw new Problem(
      'hook_manager_present',
      `The git hooks of ${repo} are managed by ${others.join(', ')}. Nothing was changed.`,
      { evidence: others },
    )
  refuseLinkedFolder(repo)
  const path = join(repo, hooksFolder, hookName)
  const there = readHook(path)
  const changed: string[] = []
  if (there?.text !== hookText || !there.executable) {
    mkdirSync(join(repo, hooksFolder), { recursive: true })
    writeWhole(path, hookText)
    chmodSync(path, 0o755)
    changed.push(
      `${hooksFolder}/${hookName} ${there ? 'renewed' : 'written'}; commit it, so that every clone has it`,
    )
  }
  const wanted = {
    'openclaw.node': nodeProgram(),
    'openclaw.hq': join(installRoot(), 'ops', 'hq.mjs'),
    'core.hooksPath': hooksFolder,
  }
  for (const [name, value] of Object.entries(wanted)) {
    // Without our own `-c core.hooksPath`: --local reads the file of the clone and nothing else.
    const now = await git(repo, ['config', '--local', '--get', name])
    if (now.exitCode === 0 && now.stdout.replace(/\n$/, '') === value) continue
    await gitText(repo, ['config', '--local', '--replace-all', name, value])
    changed.push(`${name} set in the configuration of this clone`)
  }
  return changed
}

/** Null when there is no such file. @throws {Problem} `hook_manager_present` when it is not a regular file of HQ */
function readHook(path: string): { text: string; executable: boolean } | null {
  const refuse = (why: string): never => {
    throw new Problem(
      'hook_manager_present',
      `${hooksFolder}/${hookName} ${why}. Nothing was changed.`,
    )
  }
  let info
  try {
    info = lstatSync(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  if (!info.isFile()) refuse('is not a regular file')
  const text = readFileSync(path, 'utf8')
  if (!text.includes(mark)) refuse('is another hook')
  return { text, executable: (info.mode & 0o111) === 0o111 }
}

function refuseLinkedFolder(repo: string): void {
  const info = lstatSync(join(repo, hooksFolder), { throwIfNoEntry: false })
  if (info && !info.isDirectory())
    throw new Problem(
      'hook_manager_present',
      `${hooksFolder} is not a folder of the working tree. Nothing was changed.`,
    )
}
