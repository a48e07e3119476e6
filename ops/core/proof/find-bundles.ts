// Where the bundles of a run lie on this machine.
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { bundleKinds } from '#shared/proof'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import type { VerifierPaths } from './known-keys.ts'

/**
 * The folders of a run in the artifacts of this host, of the current folder, and of the repository that HQ ships.
 * @param runId checked to be a run id
 */
export function bundlesOfRun(runId: string, { host, home }: VerifierPaths): string[] {
  const { repository } = readOperatorSettings(home)
  const roots = new Set(
    [
      host.artifacts,
      join(process.cwd(), 'artifacts'),
      ...(repository === null ? [] : [join(repository, 'artifacts')]),
    ]
      .filter((root) => existsSync(root))
      .map((root) => realpathSync(root)),
  )
  return [...roots]
    .flatMap((root) => bundleKinds.map((kind) => join(root, kind, runId)))
    .filter((dir) => existsSync(dir))
}
