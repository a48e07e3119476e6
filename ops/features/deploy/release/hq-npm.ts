// The npm of the installed HQ, for HQ's own packages and page.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { searchPath } from '#ops/base/env'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import type { HostPaths } from '#ops/base/paths/paths'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import type { BuildAccount } from '#ops/platform/accounts/build-account'
import type { StepContext } from '#ops/core/pipeline/pipeline'

/** File with a host's own settings for npm: registry, proxy, certificates. */
export const npmSettings = ({ etc }: Pick<HostPaths, 'etc'>): string => join(etc, 'npmrc')

interface NpmHost {
  readonly paths: HostPaths
  readonly settings: HostSettings
  readonly account: BuildAccount
}

/**
 * Runs the npm that is part of the installed HQ, with HQ's own Node, as the build account: a host needs neither of its
 * own. Scripts of packages never run. On an installed host the only settings are those of root's
 * `$OPENCLAW_ETC/npmrc`.
 * @param command `cwd`: folder of the package, which belongs to the build account
 * @throws {Problem} `hostd_install_failed` when the installed HQ has no npm
 */
export async function runNpm(
  { paths, settings, account }: NpmHost,
  { args, cwd }: { readonly args: readonly string[]; readonly cwd: string },
  context: StepContext,
): Promise<CommandResult> {
  const root = installRoot()
  const npm = join(root, 'node_modules', 'npm', 'bin', 'npm-cli.js')
  if (!existsSync(npm))
    throw new Problem(
      'hostd_install_failed',
      `The installed HQ in ${root} has no npm, so nothing can be installed. The running hostd is untouched.`,
    )
  const node = nodeProgram(root)
  const hostNpmrc = npmSettings(paths)
  const env = baseEnv({
    CI: '1',
    PATH: `${dirname(node)}:${searchPath()}`,
    npm_config_ignore_scripts: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    ...(settings.launcher === 'systemd'
      ? {
          npm_config_cache: join(account.home, '.npm'),
          npm_config_userconfig: existsSync(hostNpmrc) ? hostNpmrc : '/dev/null',
        }
      : {}),
  })
  return await context.run([node, npm, ...args], {
    cwd,
    env,
    ...(account.as ? { as: account.as } : {}),
  })
}

/** How a command that failed has ended. */
export const howItEnded = ({ exitCode, signal, timedOut }: CommandResult): string =>
  timedOut ? 'did not end in time' : `ended with ${exitCode ?? signal ?? 'no exit code'}`
