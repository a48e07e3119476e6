import { realpathSync } from 'node:fs'
import { Problem } from '#shared/errors'
import type { Docker } from '#ops/platform/docker/engine-api'
import {
  containers,
  isOneOff,
  publishesOf,
  serviceOf,
  type Container,
} from '#ops/platform/docker/containers'
import { endpointName, listExposures, type ExposureExceptions } from '#ops/platform/net/exposure'
import type { MountRules } from '#ops/platform/net/host-mounts'
import { openSockets, programName, type OpenSocket } from '#ops/platform/net/sockets'
import type { Progress } from '#ops/host/engines/common/engine'
import { judgeComposeModel } from './judge.ts'
import type { ComposeModel } from './model.ts'
import { waitUntilOk } from '#ops/base/http/health'
import { answerUrl } from './wait-until-settled.ts'
import { composeDo, inOrder, insidePort, oneShots, render, type ComposeSource } from './source.ts'
import type { ComposeRecord } from './record.ts'
import { lockImages, makeImages, provenImages } from './version-images.ts'

export interface Rules {
  readonly exceptions: ExposureExceptions
  readonly mounts: MountRules
}

/** A version that is judged and built, and how it differs from what runs. Nothing was touched so far. */
export interface Prepared {
  readonly source: ComposeSource
  readonly model: ComposeModel
  /** The compose file that is started, image by image. */
  readonly locked: string
  readonly images: Readonly<Record<string, string>>
  /** Services that must be started or replaced, those that others need first. */
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
  /** Services that run and are in the compose file no more. */
  readonly gone: readonly string[]
  readonly oneShots: ReadonlySet<string>
  /** Containers of the project before anything happened. */
  readonly before: readonly Container[]
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // not there yet: Docker makes a plain folder of that name
  }
}

/** @throws {Problem} `public_port`, naming each finding and its place */
function requireClosed(
  source: ComposeSource,
  model: ComposeModel,
  { exceptions, mounts }: Rules,
  { log }: Progress,
): void {
  const { open, excused } = judgeComposeModel(model, {
    file: source.files.join('+'),
    exceptions,
    mounts,
    resolvePath: resolved,
  })
  for (const { exposure, reason } of excused)
    log(`${exposure.pointer}: ${exposure.service} ${exposure.detail}; allowed: ${reason}`)
  if (open.length > 0)
    throw new Problem(
      'public_port',
      `${listExposures(open)}. Nothing was built, stopped or started.`,
      { evidence: open.map(({ pointer, code, subject }) => `${pointer}: ${code} ${subject}`) },
    )
}

const everyAddress = new Set(['', '0.0.0.0', '::'])
const overlap = (a: string, b: string): boolean =>
  a === b || everyAddress.has(a) || everyAddress.has(b)

/** @throws {Problem} `port_in_use`: another program or container has a port that this version publishes */
export function requireFreePorts(
  model: ComposeModel,
  all: readonly Container[],
  project: readonly Container[],
  sockets: readonly OpenSocket[] = openSockets(),
): void {
  const ids = new Set(project.map(({ Id }) => Id))
  const own = new Set(
    project.flatMap(publishesOf).map(({ protocol, port }) => `${protocol} ${port}`),
  )
  const others = all
    .filter(({ Id }) => !ids.has(Id))
    .flatMap((container) =>
      publishesOf(container).map((publish) => ({
        ...publish,
        who: `container ${container.Name.replace(/^\//, '')}`,
      })),
    )
  const taken = [
    ...others,
    ...sockets
      .filter(({ protocol, port }) => !own.has(`${protocol} ${port}`))
      .map(({ pids, ...socket }) => ({
        ...socket,
        who:
          pids.length === 0
            ? 'a process that cannot be seen'
            : pids.map((pid) => `process ${pid} (${programName(pid)})`).join(', '),
      })),
  ]
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
          `Port ${endpointName(protocol, host_ip || '0.0.0.0', published)} of service ${name} is taken by ${holder.who}. Nothing was stopped or started.`,
        )
    }
  }
}

/** Compose's own digest of each service's settings, the image among them. */
async function settingDigests(
  at: Docker,
  source: ComposeSource,
  locked: string,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const text = await composeDo(at, source, locked, ['config', '--hash', '*'], { signal })
  return new Map(
    text.split('\n').flatMap((line) => {
      const match = /^(\S+) ([0-9a-f]{64})$/.exec(line.trim())
      return match ? [[match[1] ?? '', match[2] ?? ''] as const] : []
    }),
  )
}

/** Longest that a service which is to stay as it is may take to answer, in seconds. */
const answerSeconds = 10
const hashLabel = 'com.docker.compose.config-hash'

function isCurrent(
  found: readonly Container[],
  digest: string | undefined,
  oneShot: boolean,
): boolean {
  // A paused container and one that Docker keeps starting again are "running" too.
  const asWanted = ({ State, Config }: Container): boolean =>
    Config.Labels[hashLabel] === digest &&
    (State.Running
      ? State.Status === 'running' && State.Health?.Status !== 'unhealthy'
      : oneShot && State.ExitCode === 0 && State.Status === 'exited')
  return found.length > 0 && digest !== undefined && found.every(asWanted)
}

/** Services with an address that do not answer there: whatever Docker thinks of their containers, those are made anew. */
async function silentServices(
  { services }: ComposeSource,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Set<string>> {
  const asked = await Promise.all(
    services
      .filter(({ name }) => names.includes(name))
      .map(async ({ name, port, health }) =>
        (await waitUntilOk(
          answerUrl(port, health.path),
          {},
          { seconds: answerSeconds, ...(signal ? { signal } : {}) },
        )) === null
          ? []
          : [name],
      ),
  )
  return new Set(asked.flat())
}

/**
 * Judges, builds and compares a version. What runs stays as it is.
 * @param old the version that is up
 * @throws {Problem} `public_port`, `port_in_use`, `config_invalid`, `docker_compose_failed`
 */
export async function prepare(
  at: Docker,
  source: ComposeSource,
  old: ComposeRecord | undefined,
  rules: Rules,
  progress: Progress,
): Promise<Prepared> {
  const { signal } = progress
  const rendered = await render(at, source, signal)
  const { model } = rendered
  requireClosed(source, model, rules, progress)
  for (const service of source.services) insidePort(model, service, source.files)
  const all = await containers(at, { all: true, signal })
  const before = all.filter(
    ({ Config }) => Config.Labels['com.docker.compose.project'] === source.project,
  )
  requireFreePorts(model, all, before)
  const images = await makeImages(
    at,
    source,
    rendered,
    await provenImages(at, source, Object.keys(model.services), old, signal),
    progress,
  )
  const locked = lockImages(rendered.text, images)
  const digests = await settingDigests(at, source, locked, signal)
  const once = oneShots(model)
  const running = before.filter((each) => !isOneOff(each))
  const order = inOrder(model)
  const asMade = order.filter((name) =>
    isCurrent(
      running.filter((each) => serviceOf(each) === name),
      digests.get(name),
      once.has(name),
    ),
  )
  const silent = await silentServices(source, asMade, signal)
  for (const name of silent)
    progress.log(
      `${name}: nothing of its version changed, but it does not answer well; its container is made anew`,
    )
  const current = (name: string): boolean => asMade.includes(name) && !silent.has(name)
  const names = new Set(order)
  const gone = [...new Set(running.flatMap((each) => serviceOf(each) ?? []))].filter(
    (name) => !names.has(name),
  )
  return {
    source,
    model,
    locked,
    images,
    changed: order.filter((name) => !current(name)),
    unchanged: order.filter(current),
    gone,
    oneShots: once,
    before: running,
  }
}
