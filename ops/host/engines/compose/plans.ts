// The two compose projects of a deploy: the project's own, and HQ's console.
import { mkdirSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { writeConsoleImage } from '#ops/host/console/image'
import { noExceptions, type ExposureExceptions } from '#ops/platform/net/exposure'
import type { Build, Target } from '#ops/host/engines/common/engine'
import { dockerOf, mountRules } from '#ops/host/engines/common/host-docker'
import { consoleServiceName } from '#ops/core/host-state/service-record'
import type { Plan } from './prepare.ts'
import { composeFolder, readComposeRecord } from './record.ts'
import type { ComposeSource } from './source.ts'

/** The plan of each compose project, in the order in which they are brought up. */
export function* plansOf(target: Target, build: Build): Generator<Plan> {
  const { config } = target
  yield planOf(target, projectSource(target, build), {
    exceptions: config.ports.exceptions,
    compose: config.compose.exceptions,
  })
  yield planOf(target, consoleSource(target), noExceptions)
}

const planOf = (target: Target, source: ComposeSource, exceptions: ExposureExceptions): Plan => ({
  at: dockerOf(target),
  source,
  old: readComposeRecord(target.paths, source.project),
  rules: { exceptions, mounts: mountRules(target, source.folder) },
})

/** `web-1` is `PORT_WEB_1` in the compose file: the port that the configuration or this host gives the service. */
const portName = (service: string): string =>
  `PORT_${service.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`

function projectSource({ config, sha, settings }: Target, build: Build): ComposeSource {
  if (config.project === consoleServiceName)
    throw new Problem(
      'config_invalid',
      `A project cannot be named ${consoleServiceName}: the console has this name. Nothing was stopped or started.`,
    )
  const services = config.services.map(({ name, port, health }) => ({
    name,
    port: settings.service_ports[name] ?? port,
    health: {
      path: health.path,
      commit_field: health.commit_field ?? null,
      timeout_seconds: health.timeout_seconds,
    },
  }))
  const ports = Object.fromEntries(services.map(({ name, port }) => [portName(name), String(port)]))
  return {
    project: config.project,
    kind: 'project',
    folder: build.folder,
    files: config.compose.files,
    version: sha,
    sha,
    digest: build.digest,
    env: { OPENCLAW_GIT_HEAD: sha, ...ports },
    services,
  }
}

function consoleSource(target: Target): ComposeSource {
  const { paths, settings } = target
  mkdirSync(composeFolder(paths), { recursive: true })
  const { folder, file, digest } = writeConsoleImage(
    target.console.release,
    composeFolder(paths),
    target,
  )
  return {
    project: consoleServiceName,
    kind: 'console',
    folder,
    files: [file],
    version: digest.slice(0, 40),
    sha: null,
    digest,
    env: {},
    services: [
      {
        name: 'console',
        port: settings.console_port,
        health: { path: '/health', commit_field: null, timeout_seconds: 60 },
      },
    ],
  }
}
