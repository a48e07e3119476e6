import type { HostPaths } from '#ops/paths'
import { composeHealth } from './compose/health.ts'
import { readComposeRecords } from './compose/record.ts'
import type { ServiceHealth } from './engine.ts'
import { processEngine } from './process.ts'
import { consoleServiceName, readRecords } from './service-record.ts'

/** Names of all services that were brought up on this host, whichever engine carries them; the console is one of them. */
export const servicesUp = (paths: HostPaths): string[] => [
  ...readRecords(paths).map(({ name }) => name),
  ...readComposeRecords(paths).flatMap(({ kind, images }) =>
    kind === 'console' ? [consoleServiceName] : Object.keys(images),
  ),
]

/** One look at each service that should be up. @throws {Problem} `docker_compose_failed` when there are containers and Docker does not answer */
export const allHealth = async (
  paths: HostPaths,
  signal?: AbortSignal,
): Promise<ServiceHealth[]> => [
  ...(await processEngine.health(paths, signal)),
  ...(await composeHealth(paths, signal)),
]
