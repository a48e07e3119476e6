// The release folders of a project: what is deployed is exported and built here, whichever engine starts it.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { treeDigest } from '#ops/base/files/tree-digest'
import type { HostPaths } from '#ops/base/paths/paths'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import { giveTreeTo, takeTreeBack, type RunAs } from '#ops/base/process/run-as'
import { buildAccount } from '#ops/platform/accounts/build-account'
import { exportChecked } from '#ops/platform/git/export-checked'
import { hostGit } from '#ops/platform/git/host-git'
import { fillPointers } from '#ops/platform/git/lfs'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import type {
  Build,
  BuildTarget,
  Engine,
  EngineHost,
  ReleaseBuilds,
} from '#ops/host/engines/common/engine'
import { greenFolders } from '#ops/host/engines/common/green-builds'
import {
  isKept,
  keepWritten,
  keptFolders,
  markBuilt,
  outlived,
  removeRelease,
  renewUsed,
  writtenFiles,
} from '#ops/host/engines/common/written-files'

/** Builds that are kept besides those in use. */
const keep = 3

/** @param engines all engines: a folder that any of them uses is kept */
export function createReleaseBuilds(engines: () => readonly Engine[]): ReleaseBuilds {
  const foldersInUse = (paths: HostPaths, which: 'busy' | 'all'): Set<string> =>
    new Set([
      ...engines()
        .flatMap((engine) => engine.folders(paths))
        .filter(({ busy }) => which === 'all' || busy)
        .map(({ folder }) => folder),
      ...greenFolders(paths),
    ])
  return {
    build: (target, context) => {
      const reviewed = engines().find(({ name }) => name === target.config.engine)
      return buildRelease(target, context, {
        inUse: foldersInUse(target.paths, 'busy'),
        reviewed: reviewed?.reviewedFiles(target.config) ?? [],
      })
    },
    prune: (paths, project) => pruneBuilds(join(paths.builds, project), foldersInUse(paths, 'all')),
  }
}

/**
 * Exports the target commit into a new folder and runs the configured builds there, one by one, as the owner of
 * the clone. Afterwards the folder is ours again: what a later build runs cannot change it.
 * @param limits `inUse`: folders that must not be written; `reviewed`: files that a build must leave as they are
 * @throws {Problem} `console_build_failed`: the first build that fails ends it; what runs is untouched
 */
async function buildRelease(
  target: BuildTarget,
  context: StepContext,
  limits: { readonly inUse: ReadonlySet<string>; readonly reviewed: readonly string[] },
): Promise<Build> {
  const { paths, config, sha } = target
  const base = join(paths.builds, config.project)
  mkdirSync(base, { recursive: true })
  const folder = freshFolder(base, sha, limits.inUse)
  const git = await hostGit(paths.root, context.signal)
  await exportChecked(paths.root, { sha, folder }, git)
  context.log(`exported ${sha} to ${folder}`)
  const untouched = 'The running version is untouched.'
  const filled = await fillPointers(paths.root, { commit: sha, folder, untouched }, git)
  if (filled > 0) context.log(`put the content of ${filled} files in Git LFS in place`)
  const reviewed = limits.reviewed.map((name) => ({ name, text: contentOf(join(folder, name)) }))
  if (config.build.length > 0) giveTreeTo(folder, git.as)
  for (const build of config.build) await runBuild(build, { folder, sha, as: git.as }, context)
  if (config.build.length > 0) {
    await endBuilder(target, git.as)
    takeTreeBack(folder, git.as)
  }
  const changed = reviewed
    .filter(({ name, text }) => contentOf(join(folder, name)) !== text)
    .map(({ name }) => name)
  if (changed.length > 0)
    throw new Problem(
      'console_build_failed',
      `A build changed ${changed.join(', ')}. What containers may do must stay as it was reviewed. ` +
        'The running version is untouched.',
    )
  const digest = treeDigest(folder)
  markBuilt(folder)
  return { sha, folder, digest }
}

/**
 * `<sha>`, or `<sha>-2` and so on while a service still runs from the one before, or a rollback may need it: a folder
 * is never replaced under a running process. One into which a service wrote is not replaced either.
 */
function freshFolder(base: string, sha: string, inUse: ReadonlySet<string>): string {
  for (let n = 1; ; n += 1) {
    const folder = join(base, n === 1 ? sha : `${sha}-${n}`)
    if (inUse.has(folder) || isKept(folder)) continue
    removeRelease(folder)
    return folder
  }
}

/** The content that an engine would read there; null when there is no file. */
const contentOf = (path: string): string | null =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'latin1') : null

/**
 * Ends what a build left running: through files that it has open, it could go on changing what was built. A clone that
 * belongs to a person is built as that person, whose other processes are not ended.
 * @throws {Problem} `console_build_failed` when one does not end
 */
async function endBuilder({ paths, settings }: EngineHost, as: RunAs | undefined): Promise<void> {
  if (as === undefined) return
  try {
    const account = await buildAccount(paths, settings)
    if (account.as?.uid === as.uid) await account.end()
  } catch (error) {
    throw error instanceof Problem && error.errorClass === 'hostd_install_failed'
      ? new Problem('console_build_failed', error.message, { cause: error })
      : error
  }
}

async function runBuild(
  { name, argv, timeout_seconds }: ProjectConfig['build'][number],
  { folder, sha, as }: { folder: string; sha: string; as: RunAs | undefined },
  context: StepContext,
): Promise<void> {
  context.log(`build ${name}: ${argv.join(' ')}`)
  const env = baseEnv({ CI: '1', OPENCLAW_GIT_HEAD: sha })
  const result = await context
    .run(argv, { cwd: folder, env, timeLimitSeconds: timeout_seconds, ...(as ? { as } : {}) })
    .catch((error: unknown) => {
      if (error instanceof Problem && error.errorClass === 'internal_error')
        throw new Problem(
          'console_build_failed',
          `Build ${name} did not run: ${error.message} The running version is untouched.`,
          { cause: error },
        )
      throw error
    })
  if (result.exitCode === 0) return
  throw new Problem(
    'console_build_failed',
    `Build ${name} ${howItEnded(result, timeout_seconds)}. The running version is untouched.`,
  )
}

function howItEnded({ exitCode, signal, timedOut }: CommandResult, seconds: number): string {
  if (timedOut) return `took longer than ${seconds} s`
  if (exitCode === null) return `was ended by ${signal ?? 'a signal'}`
  return `ended with exit code ${exitCode}`
}

/**
 * Removes builds that no service uses and no rollback can go to, all but the newest few. One into which a service wrote
 * stays for long.
 * @returns those of them that were kept for what a service wrote, until now
 */
function pruneBuilds(base: string, inUse: ReadonlySet<string>): string[] {
  if (!existsSync(base)) return []
  const idle = readdirSync(base, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(base, name))
    .filter((folder) => !inUse.has(folder))
  noteWritten(base, idle)
  renewUsed(base, inUse)
  const plain = idle
    .filter((folder) => !isKept(folder))
    .map((folder) => ({ folder, time: statSync(folder).mtimeMs }))
    .toSorted((a, b) => b.time - a.time)
  for (const { folder } of plain.slice(Math.max(0, keep - 1))) removeRelease(folder)
  const gone = outlived(base, inUse)
  for (const folder of gone) removeRelease(folder)
  return gone
}

/** A version that failed, or was stopped, was replaced by none that noted what it had written: its time begins now. */
function noteWritten(base: string, idle: readonly string[]): void {
  const noted = new Set(keptFolders(base).map(({ folder }) => folder))
  for (const folder of idle.filter((each) => !noted.has(each))) {
    const files = writtenFiles(folder) ?? []
    if (files.length > 0) keepWritten(folder, files)
  }
}
