// The bundles of a release of HQ, made by the script of its own commit.
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { baseEnv } from '#ops/base/process/command'
import { builtPrograms } from '#ops/base/process/built-program'
import { nodeProgram } from '#ops/base/process/program'
import { giveTreeTo } from '#ops/base/process/run-as'
import { buildAccount } from '#ops/platform/accounts/build-account'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import type { DeployHost } from '#ops/features/deploy/state/facts'
import { adoptBuildOutput } from './adopt-build-output.ts'
import { howItEnded } from './hq-npm.ts'

const script = join('scripts', 'programs.mjs')

/**
 * Bundles the programs of a release whose packages are installed. The build account runs the bundler in the release,
 * which it can only read, and writes into a folder of its own. A commit without the script starts from its sources.
 * @param release folder that is not complete yet
 * @throws {Problem} `hostd_install_failed`
 */
export async function bundlePrograms(
  { paths, settings }: DeployHost,
  release: string,
  context: StepContext,
): Promise<void> {
  if (!existsSync(join(release, script))) return
  const account = await buildAccount(paths, settings)
  const staging = join(account.home, 'programs')
  rmSync(staging, { recursive: true, force: true })
  try {
    mkdirSync(staging)
    giveTreeTo(staging, account.as)
    const made = join(staging, 'made')
    const bundled = await context.run(
      [nodeProgram(release), join(release, script), '--out', made],
      {
        cwd: staging,
        env: baseEnv(),
        ...(account.as ? { as: account.as } : {}),
      },
    )
    if (bundled.exitCode !== 0)
      throw new Problem(
        'hostd_install_failed',
        `The bundler of the commit ${howItEnded(bundled)}. The running hostd is untouched.`,
        { evidence: bundled.stderrTail.split('\n') },
      )
    await account.end()
    mkdirSync(join(release, 'out'), { recursive: true })
    await adoptBuildOutput(made, join(release, builtPrograms), account.as)
  } finally {
    await account.end()
    rmSync(staging, { recursive: true, force: true })
  }
}
