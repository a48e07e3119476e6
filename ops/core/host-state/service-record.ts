import { hasCode } from '#shared/system-error'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { commitId, sha256, timestamp } from '#shared/ids'
import { Problem } from '#shared/errors'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

/** What must be known to start a service, on any port. */
export const serviceSpec = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  /** `console`: HQ's own web page; `project`: a service of openclaw.config.json. */
  kind: z.enum(['project', 'console']),
  argv: z.array(z.string()).min(1),
  /** Folder it runs in: the release it was built in. */
  release: z.string(),
  /** Commit it was built from; null for the console of an installed HQ, which is not part of the project. */
  sha: commitId.nullable(),
  /** Digest of what it runs. */
  digest: sha256,
  port: z.number().int().min(1).max(65535),
  /** Environment on top of the base one. Never a secret: this file is readable. */
  env: z.record(z.string(), z.string()),
  health: z.strictObject({
    path: z.string(),
    commit_field: z.string().nullable(),
    timeout_seconds: z.number().positive(),
  }),
})
export type ServiceSpec = z.infer<typeof serviceSpec>

/** `$OPENCLAW_STATE/services/<name>.json`: a service as it was last started. */
export const serviceRecord = serviceSpec.extend({
  schema_version: z.literal(1),
  pid: z.number().int().positive(),
  pgid: z.number().int().positive(),
  start_time: z.string(),
  boot_id: z.string(),
  /** Marker in the environment of everything this start of the service started. */
  instance: z.string().regex(/^[0-9a-f]{16}$/),
  started_at: timestamp,
})
export type ServiceRecord = z.infer<typeof serviceRecord>

/** Name of the console among the services; a project cannot use it. */
export const consoleServiceName = 'openclaw-console'

const fileOf = (paths: HostPaths, name: string): string => join(paths.services, `${name}.json`)

/**
 * @throws {Problem} `state_invalid` when a record cannot be read: a service nobody knows about must not be forgotten
 */
export function readRecords(paths: HostPaths): ServiceRecord[] {
  let names: string[]
  try {
    names = readdirSync(paths.services)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw new Problem('state_invalid', `${paths.services} cannot be read.`, { cause: error })
  }
  return names
    .filter((name) => /^[a-z0-9][a-z0-9_-]*\.json$/.test(name))
    .toSorted()
    .flatMap((name) => readJson(join(paths.services, name), serviceRecord, 'state_invalid') ?? [])
}

export const readRecord = (paths: HostPaths, name: string): ServiceRecord | undefined =>
  readJson(fileOf(paths, name), serviceRecord, 'state_invalid')
export const writeRecord = (paths: HostPaths, record: ServiceRecord): void =>
  writeJson(fileOf(paths, record.name), record)
export const removeRecord = (paths: HostPaths, name: string): void =>
  rmSync(fileOf(paths, name), { force: true })

const candidateFile = (paths: HostPaths, name: string): string =>
  join(paths.services, name, 'candidate.json')
export const noteCandidate = (paths: HostPaths, record: ServiceRecord): void =>
  writeJson(candidateFile(paths, record.name), record)
export const forgetCandidate = (paths: HostPaths, name: string): void =>
  rmSync(candidateFile(paths, name), { force: true })
/** A candidate of a deploy that was killed before it could stop it. @throws {Problem} `state_invalid` */
export const leftCandidate = (paths: HostPaths, name: string): ServiceRecord | undefined =>
  readJson(candidateFile(paths, name), serviceRecord, 'state_invalid')

/** `$OPENCLAW_STATE/serving.json`: the commit whose services answer. */
export const serving = z.strictObject({
  schema_version: z.literal(1),
  sha: commitId,
  since: timestamp,
})
export type Serving = z.infer<typeof serving>
const servingFile = (paths: HostPaths): string => join(paths.state, 'serving.json')
/** @throws {Problem} `state_invalid` */
export const readServing = (paths: HostPaths): Serving | undefined =>
  readJson(servingFile(paths), serving, 'state_invalid')
export const writeServing = (paths: HostPaths, sha: string): void =>
  writeJson(servingFile(paths), {
    schema_version: 1,
    sha,
    since: new Date().toISOString(),
  } satisfies Serving)
