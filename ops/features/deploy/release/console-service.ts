// How the console is started, from an installation of HQ.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { consoleServiceName, type ServiceSpec } from '#ops/core/host-state/service-record'
import { treeDigest } from '#ops/base/files/tree-digest'
import { hostPathsEnv } from '#ops/base/paths/paths'
import { programArgv } from '#ops/base/process/program'
import type { DeployHost } from '#ops/features/deploy/state/facts'

/** What the console runs from, inside an installation of HQ. */
const parts = ['package.json', 'shared', 'ops', join('out', 'renderer')]

/**
 * The console as one more service of the host.
 * @param installed folder of the installation it runs from
 * @param sha commit of HQ, when the repository that is deployed is HQ itself
 * @throws {Problem} `console_build_failed` when the installation has no built page
 */
export function consoleService(
  { paths, settings, hostdUrl }: DeployHost,
  installed: string,
  sha: string | null,
): ServiceSpec {
  const page = join(installed, 'out', 'renderer', 'index.html')
  if (!existsSync(page))
    throw new Problem(
      'console_build_failed',
      `The console of ${installed} is not built: ${page} does not exist. The running version is untouched.`,
    )
  return {
    name: consoleServiceName,
    kind: 'console',
    argv: programArgv('console', [], installed),
    release: installed,
    sha,
    digest: treeDigest(installed, parts),
    port: settings.console_port,
    env: { ...hostPathsEnv(paths), OPENCLAW_HQ_INSTALL: installed, OPENCLAW_HOSTD_URL: hostdUrl },
    health: { path: '/health', commit_field: null, timeout_seconds: 30 },
  }
}
