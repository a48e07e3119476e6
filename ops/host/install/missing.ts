import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPaths } from '#ops/base/paths/paths'
import { missingForCompose } from './docker.ts'

/** What an installed host still needs before its first deploy can be green, one sentence each; nothing of it is a failure. */
export async function missingForDeploy(paths: HostPaths): Promise<string[]> {
  return [
    ...(existsSync(join(paths.root, '.git'))
      ? []
      : [
          `${paths.root} is no clone: install again with --origin and the address that this host may read.`,
        ]),
    ...(existsSync(paths.trustFile)
      ? []
      : [
          `${paths.trustFile} does not exist: it names the baseline commit, the review providers and the ship keys that this host believes.`,
        ]),
    ...(await missingForCompose(paths)),
  ]
}
