// Services as plain processes on loopback ports, without Docker: for the local demo, tests, and small hosts.
import { existsSync } from 'node:fs'
import { openSockets } from '#ops/platform/net/sockets'
import type {
  Engine,
  EngineHost,
  ReleaseBuilds,
  ServiceSocket,
} from '#ops/host/engines/common/engine'
import { afterKept } from '#ops/host/engines/common/written-files'
import { withServicesLock } from '#ops/host/engines/common/services-lock'
import { readRecord, readRecords } from '#ops/core/host-state/service-record'
import { serviceData } from './doctor-checks.ts'
import { requirePort } from './handover.ts'
import { processHealth, processRunning } from './health.ts'
import { processGuard } from './restart.ts'
import { stopServices } from './resume.ts'
import { lives, processesOf } from './service-process.ts'
import { processUp } from './up.ts'

export const createProcessEngine = (builds: ReleaseBuilds): Engine => ({
  name: 'process',
  sharesMachine: true,
  // Where each run is a unit, everything it started ends with it: the services would answer while they are verified,
  // and be gone right after.
  whyUnsuitable: ({ launcher }) =>
    launcher === 'systemd'
      ? 'openclaw.config.json names the engine process. On this host a run is a systemd unit and its services ' +
        'would end with it; the engine compose is needed.'
      : null,
  missing: () => Promise.resolve([]),
  wasUsed: (paths) => existsSync(paths.services),
  reviewedFiles: () => [],
  requirePorts: async ({ paths, settings, config }) => {
    for (const { name, port } of config.services)
      requirePort({ name, port: settings.service_ports[name] ?? port }, readRecord(paths, name))
  },
  build: builds.build,
  up: (target, build, progress) =>
    withServicesLock(
      target.paths,
      async () => {
        const report = await processUp(target, build, progress)
        for (const folder of builds.prune(target.paths, target.config.project))
          progress.log(afterKept(folder))
        return report
      },
      { signal: progress.signal },
    ),
  down: ({ paths }) => stopServices(paths),
  servicesUp: (paths) => readRecords(paths).map(({ name }) => name),
  digests: (paths) => readRecords(paths).map(({ name, digest }) => ({ name, sha256: digest })),
  running: processRunning,
  health: processHealth,
  ports: servicePorts,
  folders: (paths) =>
    readRecords(paths).map((record) => ({ folder: record.release, busy: lives(record) })),
  images: () => [],
  hasImage: () => Promise.resolve(false),
  // What it runs from is the release folder, which every engine's green builds keep.
  markGreen: () => undefined,
  guard: processGuard,
  doctorChecks: [serviceData],
})

function servicePorts({ paths }: EngineHost): Promise<ServiceSocket[]> {
  const sockets = openSockets()
  const found = readRecords(paths).flatMap((record) => {
    const pids = new Set(processesOf(record))
    return sockets
      .filter(
        (socket) =>
          (socket.protocol === 'tcp' && socket.port === record.port) ||
          socket.pids.some((pid) => pids.has(pid)),
      )
      .map((socket): ServiceSocket => ({ ...socket, service: record.name }))
  })
  return Promise.resolve(found)
}
