// A copy of a commit that an implementer may change, and the tree that it leaves there.
import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { commitId } from '#shared/ids'
import { asTheyAre } from '#ops/platform/git/export-commit'
import { gitText, type GitOptions } from '#ops/platform/git/run-git'
import { fillSeparateTree } from '#ops/platform/git/separate-tree'
import { objectStore } from '#ops/platform/git/work-tree'
import { writeWhole } from '#ops/base/files/json-file'
import { proofRoot } from '#ops/features/ship/state/proof-folder'

/** Name of a repair's scratch folder in the temporary folder; the folder of a killed repair is found by it. */
export const repairPrefix = (runId: string): string => `openclaw-repair-${runId}-`

/** Most bytes of files that a repair changes: they stay among the operator's objects, whatever the gates decide. */
const maxRepairBytes = 256 * 1024 * 1024

/** What is copied. */
export interface RepairSource {
  readonly repo: string
  readonly runId: string
  readonly commit: string
}

export interface ImplementerFolder {
  /** Where the implementer works: a separate repository at the commit, without remotes. */
  readonly folder: string
  /** Beside it, for what passes between HQ and the implementer. */
  readonly scratch: string
  /**
   * The content of the folder as a tree of the operator's repository, committed and uncommitted files alike.
   * @throws {Problem} `implementer_failed` for a folder that is gone, unreadable or too large
   */
  readonly takeTree: () => Promise<string>
}

/**
 * Gives `work` a copy of the commit to change. It is a clone that borrows the operator's objects, not a linked
 * worktree: its git cannot reach the operator's refs, index, hooks and configuration. Another git of HQ reads the
 * result; it sees the files and nothing of the clone's configuration. The copy is removed however `work` ends.
 */
export async function withImplementerFolder<T>(
  source: RepairSource,
  work: (copy: ImplementerFolder) => Promise<T>,
  options: GitOptions,
): Promise<T> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), repairPrefix(source.runId))))
  try {
    const copy = new RepairCopy(source, root, options)
    await copy.make()
    return await work({
      folder: copy.folder,
      scratch: copy.scratch,
      takeTree: () => copy.takeTree(),
    })
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

class RepairCopy {
  readonly folder: string
  readonly scratch: string
  readonly #source: RepairSource
  readonly #root: string
  /** The git of HQ that reads the folder. */
  readonly #bare: string
  readonly #options: GitOptions
  readonly #isolated: GitOptions
  /** The operator's objects. */
  #objects = ''

  constructor(source: RepairSource, root: string, options: GitOptions) {
    this.#source = source
    this.#root = root
    this.#options = options
    this.#isolated = { ...options, timeLimitSeconds: 300, userConfig: false }
    this.folder = join(root, 'work')
    this.scratch = join(root, 'scratch')
    this.#bare = join(root, 'bare.git')
  }

  async make(): Promise<void> {
    const { format, folder: common } = await objectStore(this.#source.repo, this.#options)
    this.#objects = join(common, 'objects')
    await this.#makeClone()
    mkdirSync(join(this.scratch, 'tmp'), { recursive: true })
    await this.#initBare(format)
    writeWhole(join(this.#bare, 'info', 'attributes'), asTheyAre)
    // HQ's proof folder is never part of a change.
    writeWhole(join(this.#bare, 'info', 'exclude'), `/${proofRoot}/\n`)
  }

  async takeTree(): Promise<string> {
    // A link in place of the folder would commit whatever it leads to.
    if (lstatSync(this.folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw notMade('the implementer removed the folder it was given. Nothing was pushed')
    await this.#read(['read-tree', '--no-recurse-submodules', this.#source.commit])
    const bytes = this.#sizeOf(
      await this.#read(['ls-files', '--others', '--modified', '--exclude-standard', '-z']),
    )
    if (bytes > maxRepairBytes)
      throw notMade(
        `the implementer left ${bytes} bytes of changed files; ` +
          `a repair takes at most ${maxRepairBytes}. Nothing was kept`,
      )
    await this.#read(['add', '--all', '--end-of-options', '.'])
    return commitId.parse(await this.#read(['write-tree']))
  }

  async #makeClone(): Promise<void> {
    const { repo, commit } = this.#source
    const inClone = (...args: string[]): Promise<string> =>
      gitText(this.folder, args, this.#isolated)
    await fillSeparateTree(repo, { commit, folder: this.folder }, this.#options)
    await inClone('config', 'user.name', 'Implementer')
    await inClone('config', 'user.email', 'implementer@localhost')
    await inClone('checkout', '--quiet', '-b', 'repair')
  }

  #initBare(format: string): Promise<string> {
    const args = ['init', '--quiet', '--template=', `--object-format=${format}`, '--bare']
    return gitText(this.#root, [...args, '--end-of-options', this.#bare], this.#isolated)
  }

  /** Runs HQ's git over the folder. */
  #read(args: string[]): Promise<string> {
    return gitText(this.folder, args, {
      ...this.#isolated,
      keepBytes: 64 * 1024 * 1024,
      env: {
        GIT_DIR: this.#bare,
        GIT_WORK_TREE: this.folder,
        GIT_OBJECT_DIRECTORY: this.#objects,
      },
      errorClass: 'implementer_failed',
    })
  }

  /** Bytes of the files in a list that ends each path with a NUL. */
  #sizeOf(list: string): number {
    return list
      .split('\0')
      .filter((path) => path !== '')
      .map((path) => lstatSync(join(this.folder, path), { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size, 0)
  }
}

const notMade = (why: string): Problem =>
  new Problem('implementer_failed', `The repair was not made: ${why}; the branch is as it was.`)
