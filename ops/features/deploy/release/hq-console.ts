// The console's page when HQ deploys itself, and which installation's page is shown.
import { existsSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { treeDigest } from '#ops/base/files/tree-digest'
import { installRoot } from '#ops/base/process/program'
import { giveTreeTo } from '#ops/base/process/run-as'
import { buildAccount } from '#ops/platform/accounts/build-account'
import { exportChecked } from '#ops/platform/git/export-checked'
import { hostGit } from '#ops/platform/git/host-git'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { currentFolder, listReleases } from '#ops/core/host-state/releases'
import type { DeployHost } from '#ops/features/deploy/state/facts'
import { adoptBuildOutput } from './adopt-build-output.ts'
import { howItEnded, runNpm } from './hq-npm.ts'

const page = join('out', 'renderer')
const hasPage = (folder: string): boolean => existsSync(join(folder, page, 'index.html'))
const failed = (why: string, evidence: readonly string[] = []): Problem =>
  new Problem('console_build_failed', `${why} The running version is untouched.`, { evidence })

/**
 * Builds HQ's page from the commit of the release and puts it into the release. A release that has a page already,
 * from its commit or from an earlier deploy, keeps it.
 * @throws {Problem} `console_build_failed`
 */
export async function buildHqConsole(
  { paths, settings }: DeployHost,
  { sha, release }: { readonly sha: string; readonly release: string },
  context: StepContext,
): Promise<void> {
  if (hasPage(release)) return
  const account = await buildAccount(paths, settings)
  await account.end()
  const staging = join(account.home, 'page')
  rmSync(staging, { recursive: true, force: true })
  try {
    await exportChecked(
      paths.root,
      { sha, folder: staging },
      await hostGit(paths.root, context.signal),
    )
    giveTreeTo(staging, account.as)
    const command = { args: ['run', 'build'], cwd: staging }
    const built = await runNpm({ paths, settings, account }, command, context)
    if (built.exitCode !== 0)
      throw failed(`npm run build ${howItEnded(built)}.`, built.stderrTail.split('\n'))
    await account.end()
    if (!hasPage(staging)) throw failed(`npm run build wrote no ${page}/index.html.`)
    const shown = join(release, page)
    const fresh = `${shown}.new`
    rmSync(fresh, { recursive: true, force: true })
    await adoptBuildOutput(join(staging, page), fresh, account.as)
    renameSync(fresh, shown)
    context.log(`built the console of ${sha}, digest ${treeDigest(shown).slice(0, 12)}`)
  } catch (error) {
    // The same account and tools as in hostd_install, but here the page could not be built.
    throw error instanceof Problem && error.errorClass === 'hostd_install_failed'
      ? new Problem('console_build_failed', error.message, {
          cause: error,
          evidence: error.evidence,
        })
      : error
  } finally {
    await account.end()
    rmSync(staging, { recursive: true, force: true })
  }
}

/**
 * The installation whose console is shown: the current release; while that has no page, because building it failed, the
 * newest release that has one; else HQ as it was installed by hand.
 */
export function shownRelease({ paths }: DeployHost): string {
  const current = currentFolder(paths)
  if (current === null) return installRoot()
  return [realpathSync(current), ...listReleases(paths)].find(hasPage) ?? installRoot()
}
