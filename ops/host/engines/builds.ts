import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { baseEnv } from '#ops/base/process/command'
import { buildAccount } from '#ops/platform/accounts/build-account'
import { exportChecked } from '#ops/platform/git/export-checked'
import { hostGit } from '#ops/platform/git/host-git'
import type { HostPaths } from '#ops/base/paths/paths'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { readHostSettings } from '#ops/core/config/settings-files'
import { giveTreeTo, takeTreeBack, type RunAs } from '#ops/base/process/run-as'
import type { Build, BuildTarget } from '#ops/host/engines/common/engine'
import { readComposeRecords } from '#ops/host/engines/compose/record'
import { greenFolders } from '#ops/host/engines/common/green-builds'
import { lives } from '#ops/host/engines/process/service-process'
import { readRecords } from '#ops/core/host-state/service-record'
import { treeDigest } from '#ops/base/files/tree-digest'

/** Builds that are kept besides those in use. */
const keep = 3

/** Containers may have parts of their release folder mounted, and it is what they are started from again. */
const composeFolders = (paths: HostPaths): string[] =>
  readComposeRecords(paths).map(({ folder }) => folder)
const foldersInUse = (paths: HostPaths): Set<string> =>
  new Set([
    ...readRecords(paths).map(({ release }) => release),
    ...composeFolders(paths),
    ...greenFolders(paths),
  ])

/** `<sha>`, or `<sha>-2` … while a service still runs from the one before, or a rollback may need it: never under the feet of a running process. */
function freshFolder(paths: HostPaths, base: string, sha: string): string {
  const used = new Set([
    ...readRecords(paths)
      .filter(lives)
      .map(({ release }) => release),
    ...composeFolders(paths),
    ...greenFolders(paths),
  ])
  for (let n = 1; ; n += 1) {
    const folder = join(base, n === 1 ? sha : `${sha}-${n}`)
    if (used.has(folder)) continue
    rmSync(folder, { recursive: true, force: true })
    return folder
  }
}

/**
 * Exports the target commit into a folder of its own and runs the configured builds there, one by one, as the owner of
 * the clone. Afterwards the folder is ours again: what a later build runs cannot change it.
 * @throws {Problem} `console_build_failed`: the first build that fails ends it; what runs is untouched
 */
export async function buildRelease(
  { paths, config, sha }: BuildTarget,
  context: StepContext,
): Promise<Build> {
  const base = join(paths.builds, config.project)
  mkdirSync(base, { recursive: true })
  const folder = freshFolder(paths, base, sha)
  const git = await hostGit(paths.root, context.signal)
  await exportChecked(paths.root, sha, folder, git)
  context.log(`exported ${sha} to ${folder}`)
  const reviewed =
    config.engine === 'compose'
      ? config.compose.files.map((name) => ({ name, text: contentOf(join(folder, name)) }))
      : []
  if (config.build.length > 0) giveTreeTo(folder, git.as)
  for (const build of config.build) await runBuild(build, { folder, sha, as: git.as }, context)
  if (config.build.length > 0) {
    await endBuilder(paths, git.as)
    takeTreeBack(folder, git.as)
  }
  const changed = reviewed
    .filter(({ name, text }) => contentOf(join(folder, name)) !== text)
    .map(({ name }) => name)
  if (changed.length > 0)
    throw new Problem(
      'console_build_failed',
      `A build changed ${changed.join(', ')}: what containers may do is what was reviewed. What serves is untouched.`,
    )
  return { sha, folder, digest: treeDigest(folder) }
}

/** What Compose would read there; null: no file. */
const contentOf = (path: string): string | null =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'latin1') : null

/**
 * A process that a build left behind could go on changing what was built, through files that it has open. A clone that
 * belongs to a person is built as that person, whose other work is not ended.
 * @throws {Problem} `console_build_failed` when one does not end
 */
async function endBuilder(paths: HostPaths, as: RunAs | undefined): Promise<void> {
  if (as === undefined) return
  try {
    const account = await buildAccount(paths, readHostSettings(paths))
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
          `Build ${name} did not run: ${error.message} What serves is untouched.`,
          { cause: error },
        )
      throw error
    })
  if (result.exitCode === 0) return
  const how = result.timedOut
    ? `took longer than ${timeout_seconds} s`
    : result.exitCode === null
      ? `was ended by ${result.signal ?? 'a signal'}`
      : `ended with exit code ${result.exitCode}`
  throw new Problem('console_build_failed', `Build ${name} ${how}. What serves is untouched.`)
}

/** Removes builds that no service uses and no rollback can go to, all but the newest few. */
export function pruneBuilds(paths: HostPaths, project: string): void {
  const base = join(paths.builds, project)
  if (!existsSync(base)) return
  const used = foldersInUse(paths)
  const idle = readdirSync(base)
    .map((name) => join(base, name))
    .filter((folder) => !used.has(folder))
    .map((folder) => ({ folder, time: statSync(folder).mtimeMs }))
    .toSorted((a, b) => b.time - a.time)
  for (const { folder } of idle.slice(Math.max(0, keep - 1)))
    rmSync(folder, { recursive: true, force: true })
}
