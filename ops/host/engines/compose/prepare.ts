// Judges, builds and compares a version, while what runs stays as it is.
import { Problem } from '#shared/errors'
import { realPath } from '#ops/base/files/real-path'
import { waitUntilOk } from '#ops/base/http/health'
import { containers, isOneOff, serviceOf, type Container } from '#ops/platform/docker/containers'
import { dataFolder, type Docker } from '#ops/platform/docker/engine-api'
import { listExposures, remediesOf, type ExposureExceptions } from '#ops/platform/net/exposure'
import type { MountRules } from '#ops/platform/net/host-mounts'
import type { Progress } from '#ops/host/engines/common/engine'
import { existingEntries } from './existing.ts'
import { projectOf, requireFreePorts } from './free-ports.ts'
import { judgeComposeModel } from './judge.ts'
import type { ComposeModel } from './model.ts'
import type { ComposeRecord } from './record.ts'
import {
  composeDo,
  inOrder,
  insidePort,
  oneShots,
  render,
  type ComposeFile,
  type ComposeSource,
} from './source.ts'
import { lockImages, makeImages, provenImages } from './version-images.ts'
import { answerUrl } from './wait-until-settled.ts'

export interface Rules {
  readonly exceptions: ExposureExceptions
  readonly mounts: MountRules
}

/** A version that is to be brought up. */
export interface Plan {
  readonly at: Docker
  readonly source: ComposeSource
  /** The version that is up, if there is one. */
  readonly old: ComposeRecord | undefined
  readonly rules: Rules
}

/** A version that is judged and built, and how it differs from what runs. Nothing was touched so far. */
export interface Prepared extends Plan {
  readonly model: ComposeModel
  /** The compose file that is started, image by image. */
  readonly locked: string
  readonly images: Readonly<Record<string, string>>
  /** Services that must be started or replaced, those that others need first. */
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
  /** Services that run and are no longer in the compose file. */
  readonly gone: readonly string[]
  readonly oneShots: ReadonlySet<string>
  /** Containers of the project before anything happened. */
  readonly before: readonly Container[]
}

/**
 * Judges, builds and compares a version. What runs stays as it is.
 * @throws {Problem} `public_port`, `port_in_use`, `config_invalid`, `docker_compose_failed`
 */
export async function prepare(plan: Plan, progress: Progress): Promise<Prepared> {
  const { at, source } = plan
  const { signal } = progress
  const rendered = await render(at, source, signal)
  const { model } = rendered
  await requireClosed(plan, model, progress)
  for (const service of source.services) insidePort(model, service, source.files)
  const { all, project } = projectOf(await containers(at, { all: true, signal }), source.project)
  requireFreePorts(model, { all, project })
  const proven = await provenImages(plan, Object.keys(model.services), signal)
  const images = await makeImages({ at, source, rendered, proven }, progress)
  const locked = lockImages(rendered.text, images)
  const before = project.filter((each) => !isOneOff(each))
  const once = oneShots(model)
  const order = inOrder(model)
  const current = await currentServices(
    { at, source, text: locked, before, oneShots: once },
    order,
    progress,
  )
  const gone = [...new Set(before.flatMap((each) => serviceOf(each) ?? []))].filter(
    (name) => !order.includes(name),
  )
  return {
    ...plan,
    model,
    locked,
    images,
    changed: order.filter((name) => !current.has(name)),
    unchanged: order.filter((name) => current.has(name)),
    gone,
    oneShots: once,
    before,
  }
}

/** @throws {Problem} `public_port`, naming each finding, where it is in the compose file, and what helps */
async function requireClosed(
  { at, source, rules: { exceptions, mounts } }: Plan,
  model: ComposeModel,
  { log, signal }: Progress,
): Promise<void> {
  const { open, excused } = judgeComposeModel(model, {
    file: source.files.join('+'),
    folder: source.folder,
    exceptions,
    mounts: { ...mounts, secret: [...mounts.secret, await dataFolder(at, signal)] },
    resolvePath: realPath,
    existing: await existingEntries(at, model, signal),
  })
  for (const { exposure, reason } of excused)
    log(`${exposure.pointer}: ${exposure.service} ${exposure.detail}; allowed: ${reason}`)
  if (open.length > 0)
    throw new Problem(
      'public_port',
      `${listExposures(open)}. Nothing was built, stopped or started.`,
      {
        evidence: [
          ...open.map(({ pointer, code, subject }) => `${pointer}: ${code} ${subject}`),
          ...remediesOf(open),
        ],
      },
    )
}

interface Running extends ComposeFile {
  readonly source: ComposeSource
  readonly before: readonly Container[]
  readonly oneShots: ReadonlySet<string>
}

/** Services whose containers run as the compose file says, and answer. */
async function currentServices(
  running: Running,
  names: readonly string[],
  { log, signal }: Progress,
): Promise<ReadonlySet<string>> {
  const digests = await settingDigests(running, signal)
  const asMade = names.filter((name) =>
    isCurrent(
      running.before.filter((each) => serviceOf(each) === name),
      digests.get(name),
      running.oneShots.has(name),
    ),
  )
  const silent = await silentServices(running.source, asMade, signal)
  for (const name of silent)
    log(
      `${name}: nothing of its version changed, but it is unhealthy; its container is created again`,
    )
  return new Set(asMade.filter((name) => !silent.has(name)))
}

/** Compose's own digest of each service's settings, the image among them. */
async function settingDigests(
  file: ComposeFile,
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const text = await composeDo(file, ['config', '--hash', '*'], { signal })
  return new Map(
    text.split('\n').flatMap((line) => {
      const match = /^(\S+) ([0-9a-f]{64})$/.exec(line.trim())
      return match ? [[match[1] ?? '', match[2] ?? ''] as const] : []
    }),
  )
}

/** Longest time that a service which is to stay as it is may take to answer, in seconds. */
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

/** Services that do not answer at their address. Their containers are created again, whatever Docker says of them. */
async function silentServices(
  { services }: ComposeSource,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Set<string>> {
  const silent = await Promise.all(
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
  return new Set(silent.flat())
}
