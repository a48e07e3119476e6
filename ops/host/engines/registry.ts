// The engines there are. A new one is a folder beside this file and one line here.
import type { ProjectConfig } from '#shared/config'
import type { HostPaths } from '#ops/base/paths/paths'
import { createReleaseBuilds } from './builds.ts'
import type { Engine, EngineHost, ServiceHealth } from '#ops/host/engines/common/engine'
import { createComposeEngine } from '#ops/host/engines/compose/engine'
import { createProcessEngine } from '#ops/host/engines/process/engine'

const builds = createReleaseBuilds(() => allEngines)

export const processEngine = createProcessEngine(builds)
export const composeEngine = createComposeEngine(builds)

const engines = {
  process: processEngine,
  compose: composeEngine,
} as const satisfies Record<ProjectConfig['engine'], Engine>

/** Every engine, in the order in which their services are listed. */
export const allEngines: readonly Engine[] = Object.values(engines)

export const engineOf = (name: ProjectConfig['engine']): Engine => engines[name]

/**
 * The engine of this host. Without a readable configuration it is the last one that has started services here, else
 * `process`.
 */
export const engineInUse = (paths: HostPaths, config: ProjectConfig | null): Engine =>
  config === null
    ? (allEngines.findLast((engine) => engine.wasUsed(paths)) ?? processEngine)
    : engines[config.engine]

/** Names of all services that were brought up on this host, by any engine. @throws {Problem} `state_invalid` */
export const servicesUp = (paths: HostPaths): string[] =>
  allEngines.flatMap((engine) => engine.servicesUp(paths))

/**
 * The health of each service that should be up.
 * @throws {Problem} `docker_compose_failed` when there are containers and Docker does not answer
 */
export const allHealth = async (host: EngineHost, signal?: AbortSignal): Promise<ServiceHealth[]> =>
  (await Promise.all(allEngines.map((engine) => engine.health(host, signal)))).flat()

/** True when one of the engines still has the image. */
export async function hasImage(
  host: EngineHost,
  name: string,
  signal?: AbortSignal,
): Promise<boolean> {
  for (const engine of allEngines) if (await engine.hasImage(host, name, signal)) return true
  return false
}
