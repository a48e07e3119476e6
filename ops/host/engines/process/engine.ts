import { Problem, toProblem } from '#shared/errors'
import { openSockets, type OpenSocket } from '#ops/platform/net/sockets'
import type { HostPaths } from '#ops/base/paths/paths'
import type {
  Build,
  Engine,
  Progress,
  ReleaseBuilds,
  ServiceHealth,
  Target,
  UpReport,
} from '#ops/host/engines/common/engine'
import {
  isUnchanged,
  proveCandidate,
  requirePort,
  switchVersion,
  type Handover,
} from './handover.ts'
import { lookAt, waitUntilOk } from '#ops/base/http/health'
import { stopServices } from './resume.ts'
import { lives, serviceUrl, socketsOf, stopService } from './service-process.ts'
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
import { withServicesLock } from '#ops/host/engines/common/services-lock'

/** The services of a build, then the console. @throws {Problem} `config_invalid` on the console's name or a port used twice */
function specsOf({ config, sha, servicePorts, console }: Target, build: Build): ServiceSpec[] {
  const specs: ServiceSpec[] = config.services.map(({ name, argv, port, health }) => ({
    name,
    kind: 'project',
    argv,
    release: build.folder,
    sha,
    digest: build.digest,
    port: servicePorts[name] ?? port,
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
    if (other)
      throw new Problem(
        'config_invalid',
        `Services ${other.name} and ${spec.name} have the same ${other.name === spec.name ? 'name' : `port ${spec.port}`}. Nothing was stopped or started.`,
      )
  }
  return all
}

/** A version that should stay as it is, and hangs, is given this long to answer before it is replaced; seconds. */
const unchangedSeconds = 10

/** Runs already what is wanted, and answers? One that hangs is replaced, although nothing of it has changed. */
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

async function up(target: Target, build: Build, progress: Progress): Promise<UpReport> {
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
  const done: Handover[] = []
  try {
    for (const spec of fresh) done.push(await switchVersion(paths, spec, progress))
  } catch (error) {
    throw await takeBack(done, toProblem(error))
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
  }
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
async function takeBack(done: readonly Handover[], failure: Problem): Promise<Problem> {
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

/** One look at each service that should be up. */
export async function processHealth(
  paths: HostPaths,
  signal?: AbortSignal,
): Promise<ServiceHealth[]> {
  return Promise.all(
    readRecords(paths).map(async (record) => {
      const { name, kind, port, pid, sha } = record
      const url = serviceUrl(port, record.health.path)
      const alive = lives(record)
      const why = alive
        ? await lookAt(
            url,
            { commitField: record.health.commit_field, commit: sha },
            signal ? { signal } : {},
          )
        : `process ${pid} has ended`
      return {
        name,
        kind,
        alive,
        why,
        detail:
          why === null
            ? `${name} answers on port ${port} (process ${pid}${sha === null ? '' : `, ${sha.slice(0, 12)}`})`
            : `${name} at ${url}: ${why}`,
      }
    }),
  )
}

/** Services as plain processes on loopback ports: no Docker needed. For the local demo, tests, and small hosts. */
export const createProcessEngine = (builds: ReleaseBuilds): Engine => ({
  name: 'process',
  build: builds.build,
  up: (target, build, progress) =>
    withServicesLock(
      target.paths,
      async () => {
        const report = await up(target, build, progress)
        builds.prune(target.paths, target.config.project)
        return report
      },
      progress.signal,
    ),
  health: processHealth,
  ports: (paths): OpenSocket[] => {
    const sockets = openSockets()
    return readRecords(paths).flatMap((record) => socketsOf(record, sockets))
  },
  down: stopServices,
})
