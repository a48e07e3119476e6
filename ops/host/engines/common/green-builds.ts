// `$OPENCLAW_STATE/green-builds.json`: the versions that a rollback can go to.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { commitId, sha256 } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Build } from './engine.ts'
import { treeDigest } from '#ops/base/files/tree-digest'

/** How many green versions keep their build and images. A rollback can go to each of them. */
export const keptGreen = 3

const greenBuild = z.strictObject({
  project: z.string(),
  sha: commitId,
  folder: z.string(),
  digest: sha256,
  /** Names of its images; empty with an engine that has none. */
  images: z.array(z.string()),
})
export type GreenBuild = z.infer<typeof greenBuild>
const greenBuilds = z.strictObject({ schema_version: z.literal(1), builds: z.array(greenBuild) })

const fileOf = ({ state }: HostPaths): string => join(state, 'green-builds.json')

/** Builds that ended a deploy green, newest last. @throws {Problem} `state_invalid`: what to keep is never guessed */
export const readGreenBuilds = (paths: HostPaths): GreenBuild[] =>
  readJson(fileOf(paths), greenBuilds, 'state_invalid')?.builds ?? []

export const greenFolders = (paths: HostPaths): string[] =>
  readGreenBuilds(paths).map(({ folder }) => folder)

/** Records that a deploy of this build ended green: it is kept for a rollback from now on. */
export function markGreenBuild(paths: HostPaths, build: GreenBuild): void {
  const all = readGreenBuilds(paths)
  const own = [
    ...all.filter(({ project, sha }) => project === build.project && sha !== build.sha),
    build,
  ].slice(-keptGreen)
  writeJson(fileOf(paths), {
    schema_version: 1,
    builds: [...all.filter(({ project }) => project !== build.project), ...own],
  } satisfies z.infer<typeof greenBuilds>)
}

/** The kept build of a commit, when it still is byte for byte what was green; null when it must be built again. */
export function intactGreenBuild(paths: HostPaths, project: string, sha: string): Build | null {
  const kept = readGreenBuilds(paths).find((each) => each.project === project && each.sha === sha)
  if (!kept || !existsSync(kept.folder) || treeDigest(kept.folder) !== kept.digest) return null
  return { sha, folder: kept.folder, digest: kept.digest }
}
