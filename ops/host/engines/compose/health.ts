// The health of every service that the compose engine brought up.
import { shortCommit } from '#shared/ids'
import type { HostPaths } from '#ops/base/paths/paths'
import { probeHealth } from '#ops/base/http/health'
import { containers, isOneOff, serviceOf, type Container } from '#ops/platform/docker/containers'
import type { EngineHost, ServiceHealth } from '#ops/host/engines/common/engine'
import { dockerOf } from '#ops/host/engines/common/host-docker'
import { consoleServiceName } from '#ops/core/host-state/service-record'
import { readComposeRecords, type ComposeRecord } from './record.ts'
import { answerUrl, failedCheckOutput } from './wait-until-settled.ts'

/** A recorded version and its containers, candidates left out. */
export interface FoundProject {
  readonly record: ComposeRecord
  readonly found: readonly Container[]
}

/** A service of a recorded version, its containers, and its health. */
export interface FoundService {
  readonly record: ComposeRecord
  readonly service: string
  readonly own: readonly Container[]
  readonly health: ServiceHealth
}

/** @throws {Problem} `docker_unreachable` when Docker does not answer */
export const composeHealth = async (
  host: EngineHost,
  signal?: AbortSignal,
): Promise<ServiceHealth[]> => (await composeServices(host, signal)).map(({ health }) => health)

/**
 * Probes every service that should be up.
 * @throws {Problem} `docker_unreachable` when Docker does not answer
 */
export async function composeServices(
  host: EngineHost,
  signal?: AbortSignal,
): Promise<FoundService[]> {
  const projects = await composeProjects(host, signal)
  return Promise.all(
    projects.flatMap(({ record, found }) =>
      Object.keys(record.images).map(async (service): Promise<FoundService> => {
        const own = found.filter((each) => serviceOf(each) === service)
        return {
          record,
          service,
          own,
          health: await serviceHealth({ record, service, own }, signal),
        }
      }),
    ),
  )
}

/** Every recorded project with its containers. @throws {Problem} `docker_unreachable`, `state_invalid` */
export const composeProjects = (host: EngineHost, signal?: AbortSignal): Promise<FoundProject[]> =>
  Promise.all(
    readComposeRecords(host.paths).map(async (record) => ({
      record,
      found: (
        await containers(dockerOf(host), { project: record.project, all: true, signal })
      ).filter((each) => !isOneOff(each)),
    })),
  )

/** Names of the services that were brought up. @throws {Problem} `state_invalid` */
export const composeServiceNames = (paths: HostPaths): string[] =>
  readComposeRecords(paths).flatMap(({ kind, images }) =>
    kind === 'console' ? [consoleServiceName] : Object.keys(images),
  )

async function serviceHealth(
  { record, service, own }: Omit<FoundService, 'health'>,
  signal?: AbortSignal,
): Promise<ServiceHealth> {
  const { kind, sha } = record
  const name = kind === 'console' ? record.project : service
  const up = own.filter(({ State }) => State.Running)
  const serving = record.services.find((each) => each.name === service)
  const wrong = whyContainersFail(own, serving !== undefined)
  if (wrong !== null) return { name, kind, ...wrong, detail: `${name}: ${wrong.why}` }
  if (!serving) {
    const where = up.length === 1 ? 'a container' : `${up.length} containers`
    const detail =
      up.length > 0 ? `${name} runs in ${where}` : `${name} has done its work and ended`
    return { name, kind, alive: up.length > 0, why: null, detail }
  }
  const url = answerUrl(serving.port, serving.health.path)
  const why = await probeHealth(
    url,
    { commitField: serving.health.commit_field, commit: sha },
    signal ? { signal } : {},
  )
  const version = sha === null ? '' : ` (${shortCommit(sha)})`
  const detail =
    why === null ? `${name} answers on port ${serving.port}${version}` : `${name} at ${url}: ${why}`
  return { name, kind, alive: true, why, detail }
}

function whyContainersFail(
  own: readonly Container[],
  serves: boolean,
): { alive: boolean; why: string } | null {
  if (own.length === 0) return { alive: false, why: 'it has no container' }
  const ended = own.find(({ State }) => !State.Running)?.State
  // A one-shot that ended with 0 has done its work.
  if (ended && (ended.ExitCode !== 0 || serves))
    return {
      alive: false,
      why: `its container ${ended.Status} with exit code ${ended.ExitCode}`,
    }
  const unhealthy = own.find(({ State }) => State.Running && State.Health?.Status === 'unhealthy')
  return unhealthy
    ? { alive: true, why: `its health check fails: ${failedCheckOutput(unhealthy.State, 200)}` }
    : null
}
