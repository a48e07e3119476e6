// Services as containers, by the project's own compose files. The daemon's socket comes from host.json.
import { existsSync } from 'node:fs'
import { dockerDo } from '#ops/platform/docker/client'
import { containers, publishesOf, serviceOf } from '#ops/platform/docker/containers'
import { imageOf } from '#ops/platform/docker/images'
import { openSockets } from '#ops/platform/net/sockets'
import type {
  Engine,
  EngineHost,
  ReleaseBuilds,
  ServiceSocket,
} from '#ops/host/engines/common/engine'
import { dockerOf } from '#ops/host/engines/common/host-docker'
import { afterKept } from '#ops/host/engines/common/written-files'
import { withServicesLock } from '#ops/host/engines/common/services-lock'
import { dockerChecks } from './doctor-checks.ts'
import { projectOf, requireFreePorts } from './free-ports.ts'
import { composeHealth, composeServiceNames } from './health.ts'
import { missingForCompose } from './missing.ts'
import { composeFolder, imagesOf, markGreen, readComposeRecords } from './record.ts'
import { composeGuard } from './restart.ts'
import { composeRunning } from './running.ts'
import { composeUp } from './up.ts'

export const createComposeEngine = (builds: ReleaseBuilds): Engine => ({
  name: 'compose',
  sharesMachine: false,
  whyUnsuitable: () => null,
  missing: missingForCompose,
  wasUsed: (paths) => existsSync(composeFolder(paths)),
  reviewedFiles: (config) => config.compose.files,
  requirePorts: async ({ config, settings, ...host }, signal) => {
    const all = await containers(dockerOf({ settings, ...host }), { all: true, signal })
    const services = config.services.map(({ name, port }) => [
      name,
      // As every service must be published (source.ts): on loopback.
      {
        ports: [
          {
            host_ip: '127.0.0.1',
            published: String(settings.service_ports[name] ?? port),
            protocol: 'tcp',
          },
        ],
      },
    ])
    requireFreePorts({ services: Object.fromEntries(services) }, projectOf(all, config.project))
  },
  build: builds.build,
  up: (target, build, progress) =>
    withServicesLock(
      target.paths,
      async () => {
        const report = await composeUp(target, build, progress)
        for (const folder of builds.prune(target.paths, target.config.project))
          progress.log(afterKept(folder))
        return report
      },
      { signal: progress.signal },
    ),
  down: (host) =>
    withServicesLock(host.paths, async () => {
      for (const { project } of readComposeRecords(host.paths))
        await dockerDo(
          dockerOf(host),
          ['compose', '--ansi', 'never', '--project-name', project, 'down', '--remove-orphans'],
          { timeLimitSeconds: 120 },
        )
    }),
  servicesUp: composeServiceNames,
  digests: (paths) =>
    readComposeRecords(paths).flatMap(({ images }) =>
      Object.entries(images).map(([name, id]) => ({ name, sha256: id.replace('sha256:', '') })),
    ),
  running: composeRunning,
  health: composeHealth,
  ports: publishedPorts,
  // Containers may have parts of their release folder mounted, and they are started from it again.
  folders: (paths) => readComposeRecords(paths).map(({ folder }) => ({ folder, busy: true })),
  images: imagesOf,
  hasImage: async (host, name, signal) => (await imageOf(dockerOf(host), name, signal)) !== null,
  markGreen,
  guard: composeGuard,
  doctorChecks: dockerChecks,
})

async function publishedPorts(host: EngineHost): Promise<ServiceSocket[]> {
  const sockets = openSockets()
  const running = await Promise.all(
    readComposeRecords(host.paths).map(({ project }) => containers(dockerOf(host), { project })),
  )
  return running.flat().flatMap((container) =>
    publishesOf(container).flatMap(({ protocol, address, port }): ServiceSocket[] => {
      if (protocol !== 'tcp' && protocol !== 'udp') return []
      const socket = sockets.find(
        (each) => each.protocol === protocol && each.port === port && each.address === address,
      )
      const service = serviceOf(container) ?? ''
      return [{ service, protocol, address, port, pids: socket?.pids ?? [] }]
    }),
  )
}
