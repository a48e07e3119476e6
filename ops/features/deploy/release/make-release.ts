// A release of HQ's own commit: exported, its packages installed, and proven by a hostd started from it.
import { hostdPaths } from '#shared/hostd-paths'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { healthReply, statusReply } from '#shared/api'
import { Problem, toProblem } from '#shared/errors'
import { readAdminToken } from '#ops/core/config/admin-token'
import { baseEnv } from '#ops/base/process/command'
import { requireReply } from '#ops/host/hostd-client/probe'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { withoutLaptopPackages } from '#ops/core/host-state/laptop-packages'
import { markComplete, readMark, unfinished } from '#ops/core/host-state/releases'
import { giveTreeTo } from '#ops/base/process/run-as'
import { buildAccount } from '#ops/platform/accounts/build-account'
import { exportChecked } from '#ops/platform/git/export-checked'
import type { DeployHost } from '#ops/features/deploy/state/facts'
import { hostGit } from '#ops/platform/git/host-git'
import { bundlePrograms } from './bundle-programs.ts'
import { howItEnded, runNpm } from './hq-npm.ts'
import { proveHostd } from './prove-hostd.ts'
import { adoptBuildOutput } from './adopt-build-output.ts'

/** True when this repository is HQ itself. Then a deploy brings a new hostd. */
export function isHqItself(root: string): boolean {
  try {
    const { name } = z
      .looseObject({ name: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
    return name === 'openclaw-hq' && existsSync(join(root, 'ops', 'hq.mjs'))
  } catch {
    return false // without a package.json that npm could read it is not HQ
  }
}

/**
 * The version of the hostd that runs.
 * @throws {Problem} `hostd_unhealthy` unless it is healthy and accepts the token
 */
export async function requireHostd(
  { hostdUrl, paths }: DeployHost,
  signal: AbortSignal,
): Promise<string> {
  try {
    const health = await requireReply({
      base: hostdUrl,
      path: hostdPaths.health,
      schema: healthReply,
      signal,
    })
    await requireReply({
      base: hostdUrl,
      path: hostdPaths.status,
      schema: statusReply,
      token: readAdminToken(paths.tokenFile),
      signal,
    })
    return health.version
  } catch (error) {
    signal.throwIfAborted()
    const cause = toProblem(error)
    throw new Problem(
      'hostd_unhealthy',
      `The installed hostd is not healthy: ${cause.message} Nothing was changed.`,
      { cause },
    )
  }
}

/**
 * Makes a release of HQ's own commit: a new folder, never under a running process, that neither hostd nor the
 * build account can change; proven by a hostd started from it on a spare port. `current` is not touched.
 * @returns the release folder
 * @throws {Problem} `hostd_install_failed`, `git_sync_failed`; then no release is left
 */
export async function makeRelease(
  host: DeployHost,
  sha: string,
  context: StepContext,
): Promise<string> {
  const { paths } = host
  const folder = join(paths.releases, sha)
  if (readMark(folder) !== null) {
    context.log(`release ${sha} is installed already`)
    await proveHostd(host, folder, context)
    return folder
  }
  const making = unfinished(folder)
  // No process runs from an unfinished release, and `current` never named it.
  for (const half of [making, folder]) rmSync(half, { recursive: true, force: true })
  try {
    await exportChecked(
      paths.root,
      { sha, folder: making },
      await hostGit(paths.root, context.signal),
    )
    await installPackages(host, making, context)
    await bundlePrograms(host, making, context)
    markComplete(making, { sha, commit: sha })
    await proveHostd(host, making, context)
    // Its mark says that it is whole: after a power cut that must be true of every file.
    const stored = await context.run(['sync', '--file-system', making], {
      cwd: '/',
      env: baseEnv(),
    })
    if (stored.exitCode !== 0)
      throw new Problem(
        'hostd_install_failed',
        `sync of ${making} ${howItEnded(stored)}. The running hostd is untouched.`,
      )
    renameSync(making, folder)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
  return folder
}

/**
 * The packages that its lock file names, fetched by the build account in a folder of that account and then adopted.
 * npm checks each against the lock file's digest; no script of theirs runs.
 */
async function installPackages(
  { paths, settings }: DeployHost,
  release: string,
  context: StepContext,
): Promise<void> {
  const account = await buildAccount(paths, settings)
  await account.end()
  const staging = join(account.home, 'release')
  rmSync(staging, { recursive: true, force: true })
  try {
    mkdirSync(staging)
    for (const name of ['package.json', 'package-lock.json']) {
      if (!existsSync(join(release, name)))
        throw new Problem(
          'hostd_install_failed',
          `The commit has no ${name}. The running hostd is untouched.`,
        )
      writeFileSync(
        join(staging, name),
        withoutLaptopPackages(readFileSync(join(release, name), 'utf8'), `${name} of the commit`),
      )
    }
    giveTreeTo(staging, account.as)
    const installed = await runNpm(
      { paths, settings, account },
      { args: ['ci', '--omit=dev', '--ignore-scripts'], cwd: staging },
      context,
    )
    if (installed.exitCode !== 0)
      throw new Problem(
        'hostd_install_failed',
        `npm ci ${howItEnded(installed)}. The running hostd is untouched.`,
        { evidence: installed.stderrTail.split('\n') },
      )
    await account.end()
    // A lock file without packages leaves none. The trial start shows whether hostd can do without.
    if (existsSync(join(staging, 'node_modules')))
      await adoptBuildOutput(
        join(staging, 'node_modules'),
        join(release, 'node_modules'),
        account.as,
      )
  } finally {
    await account.end()
    rmSync(staging, { recursive: true, force: true })
  }
}
