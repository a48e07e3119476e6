// Sets the next action as a commit, so that the ship that follows freezes it.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { commitOf } from '#ops/platform/git/commits'
import { git, gitFailure, gitReason, gitText } from '#ops/platform/git/run-git'
import { writeWhole } from '#ops/base/files/json-file'
import { nextActionFile, readNextAction, setNextAction } from '#ops/core/config/next-action'
import { readProjectConfig } from '#ops/core/config/settings-files'
import { refuse } from './preconditions/unmet.ts'
import { checkBranch, refuseUnclearTree } from './preconditions/working-tree.ts'
import { activeShip } from './state/ship-lock.ts'

/**
 * The commit holds the file alone, by the operator's identity and with the repository's hooks. The tree must be clean,
 * the branch the one that is shipped, and no ship active. When git refuses the commit, the file is as it was.
 *
 * @param repo root of the working tree
 * @returns the commit; HEAD when the file says the same already
 * @throws {Problem} `next_action_invalid`, `dirty_tree` and what else makes a tree unclear, `wrong_branch`,
 *   `ship_lock_held`, `config_invalid`, `commit_refused`
 */
export async function commitNextAction(repo: string, action: string): Promise<string> {
  const active = await activeShip(repo)
  if (active !== null)
    throw new Problem(
      'ship_lock_held',
      `The ship ${active} is active. Set the next action when it has ended. Nothing was changed.`,
    )
  const tree = { repo, git: {} }
  await refuseUnclearTree(tree)
  refuse(await checkBranch(tree, readProjectConfig(repo).branch))
  const path = join(repo, nextActionFile)
  const before = existsSync(path) ? readFileSync(path) : null
  setNextAction(repo, action)
  const head = await commitOf(repo, 'HEAD')
  if (before !== null && before.equals(readFileSync(path)) && head !== null) return head
  try {
    await commitFile(repo)
  } catch (error) {
    await git(repo, ['reset', '--quiet', '--', nextActionFile])
    if (before === null) rmSync(path, { force: true })
    else writeWhole(path, before)
    throw error
  }
  return gitText(repo, ['rev-parse', 'HEAD'])
}

/** @throws {Problem} `commit_refused` */
async function commitFile(repo: string): Promise<void> {
  await gitText(repo, ['add', '--end-of-options', nextActionFile])
  const result = await git(
    repo,
    [
      'commit',
      '--quiet',
      '--cleanup=verbatim',
      '-F',
      '-',
      '--only',
      '--end-of-options',
      nextActionFile,
    ],
    { hooks: true, input: `Next action: ${readNextAction(repo)}\n`, timeLimitSeconds: 120 },
  )
  if (result.exitCode === 0) return
  throw new Problem(
    'commit_refused',
    `The next action could not be committed: ${gitReason(result)}. The file is as it was.`,
    { evidence: gitFailure(result) },
  )
}
