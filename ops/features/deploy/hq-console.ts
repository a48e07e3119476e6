import { existsSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { treeDigest } from '#ops/base/files/tree-digest'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { installRoot } from '#ops/base/process/program'
import { currentFolder, listReleases } from '#ops/core/host-state/releases'
import { giveTreeTo } from '#ops/base/process/run-as'
import { buildAccount } from '#ops/platform/accounts/build-account'
import { exportChecked } from '#ops/platform/git/export-checked'
import type { DeployHost } from './facts.ts'
import { hostGit } from '#ops/platform/git/host-git'
import { howItEnded, runNpm } from './hq-npm.ts'
import { takeOver } from './adopt-build-output.ts'

const page = join('out', 'renderer')
const hasPage = (folder: string): boolean => existsSync(join(folder, page, 'index.html'))
const failed = (why: string, evidence: readonly string[] = []): Problem =>
  new Problem('console_build_failed', `${why} What serves is untouched.`, { evidence })

/**
 * HQ deploys itself: its page is built from the same commit as the release and put into it. A commit that carries its
 * page is taken at its word.
 * @throws {Problem} `console_build_failed`
 */
export async function buildOwnConsole(
  { paths, settings }: DeployHost,
  sha: string,
  release: string,
  context: StepContext,
): Promise<void> {
  if (hasPage(release)) return // of this very commit: it came with it, or an earlier deploy built it
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
    const built = await runNpm({ paths, settings, account }, ['run', 'build'], staging, context)
    if (built.exitCode !== 0)
      throw failed(`npm run build ${howItEnded(built)}.`, built.stderrTail.split('\n'))
    await account.end()
    if (!hasPage(staging)) throw failed(`npm run build left no ${page}/index.html.`)
    const shown = join(release, page)
    const fresh = `${shown}.new`
    rmSync(fresh, { recursive: true, force: true })
    await takeOver(join(staging, page), fresh, account.as)
    renameSync(fresh, shown)
    context.log(`built the console of ${sha}, digest ${treeDigest(shown).slice(0, 12)}`)
  } catch (error) {
    // The same account and tools as in hostd_install, but here it is the page that could not be had.
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
 * newest one that has; else HQ as it was installed by hand.
 */
export function shownRelease({ paths }: DeployHost): string {
  const current = currentFolder(paths)
  if (current === null) return installRoot()
  return [realpathSync(current), ...listReleases(paths)].find(hasPage) ?? installRoot()
}
