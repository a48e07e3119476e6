// Brings a build up as processes: every new version is proven on a free port before an old one is touched.
import { existsSync } from 'node:fs'
import { Problem, toProblem } from '#shared/errors'
import { treeDigest } from '#ops/base/files/tree-digest'
import { waitUntilOk } from '#ops/base/http/health'
import type { HostPaths } from '#ops/base/paths/paths'
import type {
  Build,
  Progress,
  Target,
  UpReport,
  WrittenFolder,
} from '#ops/host/engines/common/engine'
import { keepWritten, writtenFiles } from '#ops/host/engines/common/written-files'
import {
  consoleServiceName,
  forgetCandidate,
  leftCandidate,
  readRecords,
  removeRecord,
  writeServing,
  type ServiceRecord,
  type ServiceSpec,
} from '#ops/core/host-state/service-record'
import {
  isUnchanged,
  proveCandidate,
  requirePort,
  switchVersion,
  type Handover,
} from './handover.ts'
import { lives, serviceUrl, stopService } from './service-process.ts'

/**
 * Brings the services of a build up, then the console.
 * @throws {Problem} `config_invalid`, `port_in_use`, `service_unhealthy`, `public_port`
 */
export async function processUp(
  target: Target,
  build: Build,
  progress: Progress,
): Promise<UpReport> {
  const { paths } = target
  const specs = specsOf(target, build)
  const records = new Map(readRecords(paths).map((record) => [record.name, record]))
  const staying = await Promise.all(
    specs.map((spec) => stays(records.get(spec.name), spec, progress)),
  )
  const fresh = specs.filter((_spec, i) => staying[i] !== true)
  const unchanged = specs.filter((spec) => !fresh.includes(spec)).map(({ name }) => name)
  const gone = [...records.values()].filter(({ name }) => !specs.some((spec) => spec.name === name))
  for (const name of unchanged) progress.log(`${name}: unchanged, stays as it is`)

  for (const { name } of specs) await stopLeftCandidate(paths, name, progress)
  for (const spec of fresh) requirePort(spec, records.get(spec.name))
  for (const spec of fresh) await proveCandidate(paths, spec, progress)
  progress.beforeSwitch?.()
  const done: Handover[] = []
  try {
    for (const spec of fresh) done.push(await switchVersion(paths, spec, progress))
  } catch (error) {
    throw await bringAllBack(done, toProblem(error))
  }
  for (const record of gone) await retire(paths, record, progress)
  writeServing(paths, target.sha)
  const gaps = done.flatMap(({ name, unansweredMs }) =>
    name === consoleServiceName || unansweredMs === null ? [] : [unansweredMs],
  )
  return {
    changed: fresh.map(({ name }) => name),
    unchanged,
    stopped: gone.map(({ name }) => name),
    unansweredMs: gaps.length === 0 ? null : Math.max(...gaps),
    written: [...records.values()]
      .filter(({ kind, release }) => kind === 'project' && release !== build.folder)
      .reduce<WrittenFolder[]>((found, record) => withWritten(found, record, progress), []),
  }
}

/**
 * What the replaced version wrote beside its code is not in the new one. It stays where it is: the folder is kept.
 * @param found folders that were looked at already
 */
function withWritten(
  found: WrittenFolder[],
  { release, digest }: ServiceRecord,
  { log }: Progress,
): WrittenFolder[] {
  if (found.some(({ folder }) => folder === release) || !existsSync(release)) return found
  const files =
    writtenFiles(release) ?? (treeDigest(release) === digest ? [] : ['(an older HQ built it)'])
  if (files.length === 0) return found
  keepWritten(release, files)
  log(`${release} is kept: services wrote into it what the new version does not have`)
  for (const file of files.slice(0, 50)) log(`written beside the code: ${file}`)
  return [...found, { folder: release, files }]
}

/**
 * The services of a build, then the console.
 * @throws {Problem} `config_invalid` when a name or a port is used twice
 */
function specsOf({ config, sha, settings, console }: Target, build: Build): ServiceSpec[] {
  const specs: ServiceSpec[] = config.services.map(({ name, argv, port, health }) => ({
    name,
    kind: 'project',
    argv,
    release: build.folder,
    sha,
    digest: build.digest,
    port: settings.service_ports[name] ?? port,
    env: {},
    health: {
      path: health.path,
      commit_field: health.commit_field ?? null,
      timeout_seconds: health.timeout_seconds,
    },
  }))
  const all = [...specs, console]
  for (const [i, spec] of all.entries()) {
    const other = all.slice(0, i).find(({ name, port }) => name === spec.name || port === spec.port)
    if (!other) continue
    const what = other.name === spec.name ? 'name' : `port ${spec.port}`
    throw new Problem(
      'config_invalid',
      `Services ${other.name} and ${spec.name} have the same ${what}. Nothing was stopped or started.`,
    )
  }
  return all
}

/** A version that should stay, and hangs, is given this long to answer before it is replaced; seconds. */
const unchangedSeconds = 10

/** True when the wanted version runs already and answers. One that hangs is replaced, although nothing has changed. */
async function stays(
  record: ServiceRecord | undefined,
  spec: ServiceSpec,
  { log, signal }: Progress,
): Promise<boolean> {
  if (!isUnchanged(record, spec)) return false
  const why = await waitUntilOk(
    serviceUrl(spec.port, spec.health.path),
    { commitField: spec.health.commit_field, commit: spec.sha },
    { seconds: unchangedSeconds, alive: () => lives(record), ...(signal ? { signal } : {}) },
  )
  if (why !== null) log(`${spec.name}: unchanged, but not healthy (${why}), so it is replaced`)
  return why === null
}

/** A deploy that was killed while it tried a candidate leaves it running. */
async function stopLeftCandidate(paths: HostPaths, name: string, { log }: Progress): Promise<void> {
  const left = leftCandidate(paths, name)
  if (!left) return
  await stopService(left, name)
  forgetCandidate(paths, name)
  log(`${name}: a candidate that an earlier deploy left was stopped`)
}

/** One service could not be switched: those that were are put back too, so that one version serves as a whole. */
async function bringAllBack(done: readonly Handover[], failure: Problem): Promise<Problem> {
  const failed: string[] = []
  for (const { name, undo } of done.toReversed()) {
    try {
      await undo()
    } catch (error) {
      failed.push(`${name}: ${toProblem(error).message}`)
    }
  }
  if (failed.length === 0) return failure
  return new Problem(
    failure.errorClass,
    `${failure.message} These services could not be put back: ${failed.join(' ')}`,
    { cause: failure, evidence: failure.evidence },
  )
}

async function retire(paths: HostPaths, record: ServiceRecord, { log }: Progress): Promise<void> {
  await stopService(record, record.name)
  removeRecord(paths, record.name)
  log(`${record.name}: no longer configured, stopped`)
}
