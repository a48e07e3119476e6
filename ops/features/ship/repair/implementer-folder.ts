import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { commitId } from '#shared/ids'
import { exportCommit } from '#ops/platform/git/export-commit'
import { gitText, type GitOptions } from '#ops/platform/git/run-git'
import { objectStore } from '#ops/platform/git/work-tree'
import { writeWhole } from '#ops/base/files/json-file'
import { proofPlace } from '#ops/features/ship/state/proof-folder'

/** What a repair's scratch folder in the temporary folder is called; a killed one is found by it. */
export const repairPrefix = (runId: string): string => `openclaw-repair-${runId}-`

/** Most bytes of files that a repair changes: what it leaves is kept among the operator's objects, whatever the gates say of it. */
const maxRepairBytes = 256 * 1024 * 1024

export interface ImplementerFolder {
  /** Where the implementer works: a repository of its own at the commit, without remotes. */
  readonly folder: string
  /** Beside it, for what passes between HQ and the implementer. */
  readonly scratch: string
  /** The content of the folder as a tree of the operator's repository: what it committed and what it left uncommitted alike. @throws {Problem} `implementer_failed` for a folder that is gone, unreadable or too large */
  readonly takeTree: () => Promise<string>
}

/** No attribute, filter or line-end conversion changes a byte on the way in; HQ's proof folder is never part of a change. */
const asTheyAre = '* -text !eol !crlf !ident !filter !working-tree-encoding\n'

/**
 * Gives `work` a copy of `commit` to change. It is a clone that borrows the operator's objects, not a linked worktree: the
 * operator's refs, index, hooks and configuration are not in reach of its git. The result is read by a git of HQ's
 * own, which sees the files and nothing of the clone's configuration. Removed however `work` ends.
 */
export async function withImplementerFolder<T>(
  repo: string,
  runId: string,
  commit: string,
  work: (place: ImplementerFolder) => Promise<T>,
  options: GitOptions,
): Promise<T> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), repairPrefix(runId))))
  const [folder, scratch, bare] = [
    join(root, 'work'),
    join(root, 'scratch'),
    join(root, 'bare.git'),
  ]
  const own: GitOptions = { ...options, timeLimitSeconds: 300, userConfig: false }
  try {
    const { format, folder: common } = await objectStore(repo, options)
    const objects = join(common, 'objects')
    const init = (at: string, ...more: string[]): Promise<string> =>
      gitText(
        root,
        [
          'init',
          '--quiet',
          '--template=',
          `--object-format=${format}`,
          ...more,
          '--end-of-options',
          at,
        ],
        own,
      )
    await init(folder, '--initial-branch=repair')
    writeWhole(join(folder, '.git', 'objects', 'info', 'alternates'), `${objects}\n`)
    writeWhole(join(folder, '.git', 'info', 'attributes'), asTheyAre)
    for (const [name, value] of [
      ['user.name', 'Implementer'],
      ['user.email', 'implementer@localhost'],
    ] as const)
      await gitText(folder, ['config', name, value], own)
    await gitText(folder, ['update-ref', 'refs/heads/repair', commit], own)
    await exportCommit(repo, { sha: commit, folder }, { ...options, errorClass: 'internal_error' })
    await gitText(folder, ['read-tree', '--no-recurse-submodules', 'HEAD'], own)
    mkdirSync(join(scratch, 'tmp'), { recursive: true })

    await init(bare, '--bare')
    writeWhole(join(bare, 'info', 'attributes'), asTheyAre)
    writeWhole(join(bare, 'info', 'exclude'), `/${proofPlace}/\n`)
    const takeTree = async (): Promise<string> => {
      const eyes = {
        ...own,
        keepBytes: 64 * 1024 * 1024,
        env: { GIT_DIR: bare, GIT_WORK_TREE: folder, GIT_OBJECT_DIRECTORY: objects },
        errorClass: 'implementer_failed' as const,
      }
      // A link in its place would make one commit of whatever it leads to.
      if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
        throw new Problem(
          'implementer_failed',
          'The repair was not made: the implementer removed the folder it was given. Nothing was pushed; the branch is as it was.',
        )
      await gitText(folder, ['read-tree', '--no-recurse-submodules', commit], eyes)
      const paths = (
        await gitText(
          folder,
          ['ls-files', '--others', '--modified', '--exclude-standard', '-z'],
          eyes,
        )
      )
        .split('\0')
        .filter((path) => path !== '')
      const bytes = paths.reduce(
        (sum, path) => sum + (lstatSync(join(folder, path), { throwIfNoEntry: false })?.size ?? 0),
        0,
      )
      if (bytes > maxRepairBytes)
        throw new Problem(
          'implementer_failed',
          `The repair was not made: the implementer left ${bytes} bytes of changed files; a repair takes at most ${maxRepairBytes}. Nothing was kept; the branch is as it was.`,
        )
      await gitText(folder, ['add', '--all', '--end-of-options', '.'], eyes)
      return commitId.parse(await gitText(folder, ['write-tree'], eyes))
    }
    return await work({ folder, scratch, takeTree })
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Puts a tree onto `parent` as one commit of the operator's repository, by HQ. No ref moves. */
export async function commitTree(
  repo: string,
  tree: string,
  parent: string,
  message: string,
  options: GitOptions,
): Promise<string> {
  const person = {
    GIT_AUTHOR_NAME: 'OpenClaw HQ',
    GIT_AUTHOR_EMAIL: 'hq@localhost',
    GIT_COMMITTER_NAME: 'OpenClaw HQ',
    GIT_COMMITTER_EMAIL: 'hq@localhost',
  }
  return commitId.parse(
    await gitText(repo, ['commit-tree', '--no-gpg-sign', '-p', parent, '-F', '-', tree], {
      ...options,
      env: person,
      input: message,
    }),
  )
}
