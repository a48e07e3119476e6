import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { baseEnv } from '#ops/command'
import { hostGit } from '#ops/deploy/host-git'
import type { HostPaths } from '#ops/paths'
import type { StepContext } from '#ops/pipeline'
import { giveTreeTo, takeTreeBack, type RunAs } from '#ops/run-as'
import type { Build, BuildTarget } from './engine.ts'
import { exportCommit } from './export-commit.ts'
import { readComposeRecords } from './compose/record.ts'
import { greenFolders } from './green-builds.ts'
import { lives } from './service-process.ts'
import { readRecords } from './service-record.ts'
import { treeDigest } from './tree-digest.ts'

/** Builds that are kept besides those in use. */
const keep = 3

/** Containers may have parts of their release folder mounted, and it is what they are started from again. */
const composeFolders = (paths: HostPaths): string[] => readComposeRecords(paths).map(({ folder }) => folder)
const foldersInUse = (paths: HostPaths): Set<string> => new Set([...readRecords(paths).map(({ release }) => release), ...composeFolders(paths), ...greenFolders(paths)])

/** `<sha>`, or `<sha>-2` … while a service still runs from the one before, or a rollback may need it: never under the feet of a running process. */
function freshFolder(paths: HostPaths, base: string, sha: string): string {
  const used = new Set([...readRecords(paths).filter(lives).map(({ release }) => release), ...composeFolders(paths), ...greenFolders(paths)])
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
export async function buildRelease({ paths, config, sha }: BuildTarget, context: StepContext): Promise<Build> {
  const base = join(paths.builds, config.project)
  mkdirSync(base, { recursive: true })
  const folder = freshFolder(paths, base, sha)
  const git = await hostGit(paths.root, context.signal)
  await exportCommit(paths.root, sha, folder, git)
  context.log(`exported ${sha} to ${folder}`)
  if (config.build.length > 0) giveTreeTo(folder, git.as)
  for (const build of config.build) await runBuild(build, { folder, sha, as: git.as }, context)
  if (config.build.length > 0) takeTreeBack(folder, git.as)
  return { sha, folder, digest: treeDigest(folder) }
}

async function runBuild({ name, argv, timeout_seconds }: ProjectConfig['build'][number], { folder, sha, as }: { folder: string; sha: string; as: RunAs | undefined }, context: StepContext): Promise<void> {
  context.log(`build ${name}: ${argv.join(' ')}`)
  const env = baseEnv({ CI: '1', OPENCLAW_GIT_HEAD: sha })
  const result = await context.run(argv, { cwd: folder, env, timeLimitSeconds: timeout_seconds, ...(as ? { as } : {}) }).catch((error: unknown) => {
    if (error instanceof Problem && error.errorClass === 'internal_error') throw new Problem('console_build_failed', `Build ${name} did not run: ${error.message} What serves is untouched.`, { cause: error })
    throw error
  })
  if (result.exitCode === 0) return
  const how = result.timedOut ? `took longer than ${timeout_seconds} s` : result.exitCode === null ? `was ended by ${result.signal ?? 'a signal'}` : `ended with exit code ${result.exitCode}`
  throw new Problem('console_build_failed', `Build ${name} ${how}. What serves is untouched.`)
}

/** Removes builds that no service uses and no rollback can go to, all but the newest few. */
export function pruneBuilds(paths: HostPaths, project: string): void {
  const base = join(paths.builds, project)
  if (!existsSync(base)) return
  const used = foldersInUse(paths)
  const idle = readdirSync(base).map((name) => join(base, name)).filter((folder) => !used.has(folder))
    .map((folder) => ({ folder, time: statSync(folder).mtimeMs })).toSorted((a, b) => b.time - a.time)
  for (const { folder } of idle.slice(Math.max(0, keep - 1))) rmSync(folder, { recursive: true, force: true })
}
