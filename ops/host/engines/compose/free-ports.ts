// The ports that a version publishes must be free, or the project's own.
import { Problem } from '#shared/errors'
import { publishesOf, type Container } from '#ops/platform/docker/containers'
import { openSockets, programName } from '#ops/platform/net/sockets'
import type { ComposeModel } from './model.ts'
import { endpointName } from '#ops/platform/net/addresses'

interface Taken {
  readonly protocol: string
  readonly address: string
  readonly port: number
  readonly who: string
}

/** What a version publishes, service by service. */
interface Publishing {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly ports: readonly Pick<
          ComposeModel['services'][string]['ports'][number],
          'host_ip' | 'published' | 'protocol'
        >[]
      }
    >
  >
}

/** @param name of the project @returns every container, and those of the project */
export const projectOf = (
  all: readonly Container[],
  name: string,
): { readonly all: readonly Container[]; readonly project: readonly Container[] } => ({
  all,
  project: all.filter(({ Config }) => Config.Labels['com.docker.compose.project'] === name),
})

/**
 * @param all every container of the host @param project those of the project itself
 * @throws {Problem} `port_in_use` when another program or container has a port that this version publishes
 */
export function requireFreePorts(
  model: Publishing,
  { all, project }: { readonly all: readonly Container[]; readonly project: readonly Container[] },
): void {
  const taken = [...takenByContainers(all, project), ...takenByPrograms(project)]
  for (const [name, { ports }] of Object.entries(model.services)) {
    for (const { host_ip, published, protocol } of ports) {
      const holder = taken.find(
        (each) =>
          each.protocol === protocol &&
          String(each.port) === published &&
          overlap(each.address, host_ip),
      )
      if (holder)
        throw new Problem(
          'port_in_use',
          `Port ${endpointName(protocol, host_ip || '0.0.0.0', published)} of service ${name} is taken by ` +
            `${holder.who}. Nothing was stopped or started.`,
        )
    }
  }
}

const everyAddress = new Set(['', '0.0.0.0', '::'])
const overlap = (a: string, b: string): boolean =>
  a === b || everyAddress.has(a) || everyAddress.has(b)

function takenByContainers(all: readonly Container[], project: readonly Container[]): Taken[] {
  const own = new Set(project.map(({ Id }) => Id))
  return all
    .filter(({ Id }) => !own.has(Id))
    .flatMap((container) =>
      publishesOf(container).map((publish) => ({
        ...publish,
        who: `container ${container.Name.replace(/^\//, '')}`,
      })),
    )
}

function takenByPrograms(project: readonly Container[]): Taken[] {
  const own = new Set(
    project.flatMap(publishesOf).map(({ protocol, port }) => `${protocol} ${port}`),
  )
  return openSockets()
    .filter(({ protocol, port }) => !own.has(`${protocol} ${port}`))
    .map(({ pids, ...socket }) => ({
      ...socket,
      who:
        pids.length === 0
          ? 'a process that cannot be seen'
          : pids.map((pid) => `process ${pid} (${programName(pid)})`).join(', '),
    }))
}
