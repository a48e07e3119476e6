// `$OPENCLAW_STATE/compose/<project>.json`: the version of each compose project that was last brought up.
import { hasCode } from '#shared/system-error'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { timestamp } from '#shared/ids'
import { Problem } from '#shared/errors'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { keptGreen } from '#ops/host/engines/common/green-builds'
import { composeSource } from './source.ts'
import { versionImage } from './version-images.ts'

export const composeRecord = composeSource.extend({
  schema_version: z.literal(1),
  /** Service to the id of the image it runs. */
  images: z.record(z.string(), z.string().regex(/^sha256:[0-9a-f]{64}$/)),
  since: timestamp,
  /** Versions that ended a deploy green, newest last. */
  green: z.array(z.string()),
})
export type ComposeRecord = z.infer<typeof composeRecord>

export const composeFolder = (paths: HostPaths): string => join(paths.state, 'compose')
const fileOf = (paths: HostPaths, project: string): string =>
  join(composeFolder(paths), `${project}.json`)

/** @throws {Problem} `state_invalid` when a record cannot be read: a project that runs must not be forgotten */
export function readComposeRecords(paths: HostPaths): ComposeRecord[] {
  let names: string[]
  try {
    names = readdirSync(composeFolder(paths))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw new Problem('state_invalid', `${composeFolder(paths)} cannot be read.`, { cause: error })
  }
  return names
    .filter((name) => /^[a-z0-9][a-z0-9_-]*\.json$/.test(name))
    .toSorted()
    .flatMap(
      (name) => readJson(join(composeFolder(paths), name), composeRecord, 'state_invalid') ?? [],
    )
}

/** @throws {Problem} `state_invalid` */
export const readComposeRecord = (paths: HostPaths, project: string): ComposeRecord | undefined =>
  readJson(fileOf(paths, project), composeRecord, 'state_invalid')
export const writeComposeRecord = (paths: HostPaths, record: ComposeRecord): void =>
  writeJson(fileOf(paths, record.project), record, { mode: 0o640 })
export const removeComposeRecord = (paths: HostPaths, project: string): void =>
  rmSync(fileOf(paths, project), { force: true })

/**
 * Records that the deploy of `version` ended green: its images are kept for a rollback from now on.
 * @throws {Problem} `state_invalid` when it is not the version that is up
 */
export function markGreen(paths: HostPaths, project: string, version: string): void {
  const record = readComposeRecord(paths, project)
  if (record?.version !== version)
    throw new Problem(
      'state_invalid',
      `${project} runs ${record?.version ?? 'nothing'}, so ${version} cannot be recorded as green.`,
    )
  writeComposeRecord(paths, {
    ...record,
    green: [...record.green.filter((each) => each !== version), version].slice(-keptGreen),
  })
}

/** Names of the images of the version that is up: what a rollback to it needs. @throws {Problem} `state_invalid` */
export const imagesOf = (paths: HostPaths, project: string, version: string): string[] =>
  Object.keys(readComposeRecord(paths, project)?.images ?? {}).map((service) =>
    versionImage(project, service, version),
  )
