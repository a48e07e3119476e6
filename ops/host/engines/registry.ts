import type { HostPaths } from '#ops/base/paths/paths'
import { buildRelease, pruneBuilds } from './builds.ts'
import { createComposeEngine } from '#ops/host/engines/compose/engine'
import { readComposeRecords } from '#ops/host/engines/compose/record'
import type { Engine, ReleaseBuilds, ServiceHealth } from '#ops/host/engines/common/engine'
import { createProcessEngine } from '#ops/host/engines/process/engine'
import { consoleServiceName, readRecords } from '#ops/core/host-state/service-record'

const builds: ReleaseBuilds = { build: buildRelease, prune: pruneBuilds }

export const processEngine = createProcessEngine(builds)
export const composeEngine = createComposeEngine(builds)

/** Every engine there is: a new one is a folder beside this file and a line here. */
const engines = { process: processEngine, compose: composeEngine } as const satisfies Record<
  Engine['name'],
  Engine
>

export const engineOf = (name: Engine['name']): Engine => engines[name]

/** Names of all services that were brought up on this host, whichever engine carries them; the console is one of them. */
export const servicesUp = (paths: HostPaths): string[] => [
  ...readRecords(paths).map(({ name }) => name),
  ...readComposeRecords(paths).flatMap(({ kind, images }) =>
    kind === 'console' ? [consoleServiceName] : Object.keys(images),
  ),
]

/**
 * The health of each service that should be up.
 * @throws {Problem} `docker_compose_failed` when there are containers and Docker does not answer
 */
export const allHealth = async (paths: HostPaths, signal?: AbortSignal): Promise<ServiceHealth[]> =>
  (await Promise.all(Object.values(engines).map((engine) => engine.health(paths, signal)))).flat()
