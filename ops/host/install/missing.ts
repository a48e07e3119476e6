// What an installed host lacks before its first deploy.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { allEngines } from '#ops/host/engines/registry'

/** What an installed host lacks before its first deploy can be green, one sentence each. None of it is a failure. */
export async function missingForDeploy(paths: HostPaths): Promise<string[]> {
  const settings = readHostSettings(paths)
  const suitable = allEngines.filter((engine) => engine.whyUnsuitable(settings) === null)
  const missing = await Promise.all(suitable.map((engine) => engine.missing({ paths, settings })))
  return [
    ...(existsSync(join(paths.root, '.git'))
      ? []
      : [
          `${paths.root} is not a clone: install again with --origin and the address that this host may read.`,
        ]),
    ...(existsSync(paths.trustFile)
      ? []
      : [
          `${paths.trustFile} does not exist: it names the baseline commit, the review providers and the ship keys ` +
            'that this host trusts.',
        ]),
    ...missing.flat(),
  ]
}
