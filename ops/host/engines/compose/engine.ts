import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem, toProblem } from '#shared/errors'
import { writeConsoleImage } from '#ops/host/console/image'
import { dockerDo } from '#ops/platform/docker/client'
import { requireDaemon, type Docker } from '#ops/platform/docker/engine-api'
import { containers, publishesOf } from '#ops/platform/docker/containers'
import type { HostPaths } from '#ops/base/paths/paths'
import { openSockets } from '#ops/platform/net/sockets'
import { readHostSettings } from '#ops/core/config/settings-files'
import type {
  Build,
  Engine,
  Progress,
  ReleaseBuilds,
  Target,
  UpReport,
} from '#ops/host/engines/common/engine'
import { consoleServiceName, writeServing } from '#ops/core/host-state/service-record'
import { withServicesLock } from '#ops/host/engines/common/services-lock'
import { composeHealth } from './health.ts'
import { prepare, type Prepared, type Rules } from './prepare.ts'
import {
  composeFolder,
  readComposeRecord,
  readComposeRecords,
  removeComposeRecord,
  writeComposeRecord,
  type ComposeRecord,
} from './record.ts'
import { bringBack, replaceVersion } from './replace.ts'
import { dockerOf, mountRules } from './rules.ts'
import type { ComposeSource } from './source.ts'
import { pruneImages } from './version-images.ts'

/** `web-1` is `PORT_WEB_1` in the compose file: the port that the configuration or this host gives the service. */
const portName = (service: string): string =>
  `PORT_${service.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`

function projectSource({ config, sha, servicePorts }: Target, build: Build): ComposeSource {
  if (config.project === consoleServiceName)
    throw new Problem(
      'config_invalid',
      `A project cannot be called ${consoleServiceName}: that is the console. Nothing was stopped or started.`,
    )
  const services = config.services.map(({ name, port, health }) => ({
    name,
    port: servicePorts[name] ?? port,
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

function consoleSource({ paths, console }: Target): ComposeSource {
  const settings = readHostSettings(paths)
  mkdirSync(composeFolder(paths), { recursive: true })
  const { folder, file, digest } = writeConsoleImage(
    console.release,
    composeFolder(paths),
    settings,
    paths,
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

const recordOf = (
  source: ComposeSource,
  images: Readonly<Record<string, string>>,
  old: ComposeRecord | undefined,
): ComposeRecord => ({
  schema_version: 1,
  ...source,
  images: { ...images },
  since: new Date().toISOString(),
  green: old?.green ?? [],
})

/** Keeps the images of the version that is up, of the one before, and of those a rollback can go to. */
async function prune(
  at: Docker,
  paths: HostPaths,
  record: ComposeRecord,
  old: ComposeRecord | undefined,
  { log }: Progress,
): Promise<void> {
  const keep = new Set([record.version, ...(old ? [old.version] : []), ...record.green])
  const services = [...new Set([...Object.keys(record.images), ...Object.keys(old?.images ?? {})])]
  const gone = await pruneImages(at, record.project, services, keep)
  if (gone.length > 0) log(`removed ${gone.join(', ')}`)
  if (record.kind === 'console')
    for (const name of readdirSync(composeFolder(paths)))
      if (
        /^console-[0-9a-f]{16}$/.test(name) &&
        ![record.folder, old?.folder].includes(join(composeFolder(paths), name))
      )
        rmSync(join(composeFolder(paths), name), { recursive: true, force: true })
}

async function up(target: Target, build: Build, progress: Progress): Promise<UpReport> {
  const { paths, config } = target
  const at = dockerOf(paths)
  progress.log(`Docker ${await requireDaemon(at, progress.signal)}`)
  const rules: Rules = {
    exceptions: { exceptions: config.ports.exceptions, compose: config.compose.exceptions },
    mounts: mountRules(paths),
  }
  const own: Rules = { exceptions: { exceptions: [], compose: [] }, mounts: rules.mounts }
  const plan = async (source: ComposeSource, rules: Rules) => {
    const old = readComposeRecord(paths, source.project)
    return { prepared: await prepare(at, source, old, rules, progress), rules, old }
  }
  const plans = [
    await plan(projectSource(target, build), rules),
    await plan(consoleSource(target), own),
  ]
  const done: {
    prepared: Prepared
    old: ComposeRecord | undefined
    unansweredMs: number | null
  }[] = []
  for (const { prepared, rules, old } of plans) {
    const { source, images, unchanged, changed } = prepared
    for (const name of unchanged) progress.log(`${name}: unchanged, stays as it is`)
    try {
      const { unansweredMs } =
        changed.length + prepared.gone.length === 0
          ? { unansweredMs: null }
          : await replaceVersion(at, prepared, old, rules, progress)
      done.push({ prepared, old, unansweredMs })
      writeComposeRecord(paths, recordOf(source, images, old))
    } catch (error) {
      throw await takeBack(at, paths, done, toProblem(error), progress)
    }
  }
  writeServing(paths, target.sha)
  for (const { prepared, old } of done)
    await prune(at, paths, recordOf(prepared.source, prepared.images, old), old, progress)
  const project = done.find(({ prepared }) => prepared.source.kind === 'project')
  return {
    changed: done.flatMap(({ prepared }) => prepared.changed),
    unchanged: done.flatMap(({ prepared }) => prepared.unchanged),
    stopped: done.flatMap(({ prepared }) => prepared.gone),
    unansweredMs: project?.unansweredMs ?? null,
  }
}

/** The console could not be brought up: the project is put back too, so that one version serves as a whole. */
async function takeBack(
  at: Docker,
  paths: HostPaths,
  done: readonly { prepared: Prepared; old: ComposeRecord | undefined }[],
  failure: Problem,
  progress: Progress,
): Promise<Problem> {
  let problem = failure
  for (const { prepared, old } of done.toReversed()) {
    problem = await bringBack(at, prepared, old, problem, progress)
    if (old) writeComposeRecord(paths, old)
    else removeComposeRecord(paths, prepared.source.project)
  }
  return problem
}

/** Services as containers, by the project's own compose files (design §7). The daemon's socket comes from host.json. */
export const createComposeEngine = (builds: ReleaseBuilds): Engine => ({
  name: 'compose',
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
  health: composeHealth,
  ports: async (paths) => {
    const sockets = openSockets()
    const published = (
      await Promise.all(
        readComposeRecords(paths).map(({ project }) => containers(dockerOf(paths), { project })),
      )
    )
      .flat()
      .flatMap(publishesOf)
    return published.flatMap(({ protocol, address, port }) =>
      protocol === 'tcp' || protocol === 'udp'
        ? [
            {
              protocol,
              address,
              port,
              pids:
                sockets.find(
                  (each) =>
                    each.protocol === protocol && each.port === port && each.address === address,
                )?.pids ?? [],
            },
          ]
        : [],
    )
  },
  down: (paths) =>
    withServicesLock(paths, async () => {
      for (const { project } of readComposeRecords(paths))
        await dockerDo(
          dockerOf(paths),
          ['compose', '--ansi', 'never', '--project-name', project, 'down', '--remove-orphans'],
          { timeLimitSeconds: 120 },
        )
    }),
})
