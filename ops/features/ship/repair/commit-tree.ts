// Puts a tree onto its parent as one commit by HQ. No ref moves.
import { commitId } from '#shared/ids'
import { gitText, type GitOptions } from '#ops/platform/git/run-git'

export interface TreeCommit {
  readonly repo: string
  readonly tree: string
  readonly parent: string
  readonly message: string
}

const person = {
  GIT_AUTHOR_NAME: 'OpenClaw HQ',
  GIT_AUTHOR_EMAIL: 'hq@localhost',
  GIT_COMMITTER_NAME: 'OpenClaw HQ',
  GIT_COMMITTER_EMAIL: 'hq@localhost',
}

/** @returns the commit, in the operator's repository */
export async function commitTree(
  { repo, tree, parent, message }: TreeCommit,
  options: GitOptions,
): Promise<string> {
  const args = ['commit-tree', '--no-gpg-sign', '-p', parent, '-F', '-', tree]
  return commitId.parse(await gitText(repo, args, { ...options, env: person, input: message }))
}
