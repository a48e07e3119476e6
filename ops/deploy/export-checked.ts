import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { exportCommit } from '#ops/engines/export-commit'
import { git, gitText, type GitOptions } from '#ops/git/run-git'
import { writeWhole } from '#ops/json-file'

/** What becomes HQ's own code is not changed on the way in, either. */
const asTheyAre = '* -text !eol !crlf !ident !filter !working-tree-encoding\n'

/**
 * Exports a commit and hashes again what came out: git does not when it reads objects, and those of the clone belong to
 * an account with less power than the code of a release has.
 * @param folder new folder, ours
 * @throws {Problem} `git_sync_failed` when the content is not what the commit's name stands for
 */
export async function exportChecked(repo: string, sha: string, folder: string, options: GitOptions): Promise<void> {
  const refuse = (what: string): never => { throw new Problem('git_sync_failed', `${what} of ${sha} is not what its name stands for: the objects of ${repo} were changed. The hostd that runs is untouched.`) }
  const { exitCode, stdout } = await git(repo, ['cat-file', 'commit', sha], options)
  const bytes = Buffer.from(stdout)
  const digest = createHash(sha.length === 40 ? 'sha1' : 'sha256').update(`commit ${bytes.length}\0`).update(bytes).digest('hex')
  const tree = /^tree ([0-9a-f]+)\n/.exec(stdout)?.[1]
  if (exitCode !== 0 || digest !== sha || tree === undefined) refuse('The commit object')
  await exportCommit(repo, sha, folder, options)
  if (await treeOf(folder, sha, options) !== tree) refuse('The content')
}

/** The tree id of a folder, by a repository of its own. */
async function treeOf(folder: string, sha: string, { as: _owner, ...options }: GitOptions): Promise<string> {
  const temporary = mkdtempSync(join(tmpdir(), 'openclaw-check-'))
  const bare = join(temporary, 'bare.git')
  try {
    await gitText(temporary, ['init', '--quiet', '--bare', '--template=', `--object-format=${sha.length === 40 ? 'sha1' : 'sha256'}`, '--end-of-options', bare], options)
    writeWhole(join(bare, 'info', 'attributes'), asTheyAre)
    const own: GitOptions = { ...options, timeLimitSeconds: 300, env: { ...options.env, GIT_DIR: bare, GIT_WORK_TREE: folder } }
    await gitText(folder, ['add', '--all', '--force', '--', '.'], own)
    return await gitText(folder, ['write-tree'], own)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
