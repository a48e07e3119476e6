import { Problem } from '#shared/errors'
import { dockerDo } from '#ops/platform/docker/client'
import type { Docker } from '#ops/platform/docker/engine-api'
import { imageLabels, imageOf, tagImage, tagsOf, untagImage } from '#ops/platform/docker/images'
import type { Progress } from '#ops/host/engines/common/engine'
import {
  buildSeconds,
  composeDo,
  withServices,
  type ComposeSource,
  type Rendered,
} from './source.ts'

/** Label and build argument by which an image can say which commit it is. */
export const commitName = 'OPENCLAW_GIT_HEAD'

const repositoryOf = (project: string, service: string): string => `${project}-${service}`

/** Name under which a version's image of a service is kept; the tag is the commit, so the image itself need not change with it. */
export const versionImage = (project: string, service: string, version: string): string =>
  `${repositoryOf(project, service)}:${version}`

/**
 * Builds what is built, fetches what is not there, and gives every image the name of this version. Nothing that runs is touched.
 * @param keeps names of services whose image of this version is proven already: it is taken as it is, not built anew
 * @returns service to image id
 * @throws {Problem} `docker_compose_failed`; `running_version_mismatch` when a built image says that it is another commit
 */
export async function makeImages(
  at: Docker,
  source: ComposeSource,
  { text, model }: Rendered,
  keeps: ReadonlySet<string>,
  { log, signal }: Progress,
): Promise<Record<string, string>> {
  const { project, version, sha, env } = source
  const names = Object.keys(model.services)
  const built = names.filter((name) => model.services[name]?.build !== undefined)
  const due = built.filter((name) => !keeps.has(name))
  if (due.length > 0) {
    const named = withServices(text, (name, service) =>
      built.includes(name) ? { ...service, image: versionImage(project, name, version) } : service,
    )
    // One at a time: of builds side by side, one that fails cancels the others, and what is reported may be a lost
    // connection of those instead of the error (moby/buildkit#748).
    for (const name of due) {
      log(`building ${name} of ${project}`)
      await composeDo(
        at,
        source,
        named,
        ['build', ...(sha === null ? [] : ['--build-arg', `${commitName}=${sha}`]), name],
        {
          signal,
          timeLimitSeconds: buildSeconds,
          onLine: (line) => log(line),
          title: `Build of ${name} failed, what serves is untouched: docker compose build`,
        },
      )
    }
  }
  const images: Record<string, string> = {}
  for (const name of names) {
    const wanted = built.includes(name)
      ? versionImage(project, name, version)
      : model.services[name]?.image
    if (wanted === undefined)
      throw new Problem(
        'docker_compose_failed',
        `Service ${name} of ${project} has neither a build nor an image. Nothing was stopped or started.`,
      )
    if ((await imageOf(at, wanted, signal)) === null) {
      log(`fetching ${wanted}`)
      await dockerDo(at, ['pull', '--quiet', wanted], {
        signal,
        timeLimitSeconds: buildSeconds,
        env,
        title: `Image ${wanted} of service ${name} cannot be had, what serves is untouched: docker pull`,
      })
    }
    const image = await imageOf(at, wanted, signal)
    if (image === null)
      throw new Problem(
        'docker_compose_failed',
        `Image ${wanted} of service ${name} is not there although it was just made. Nothing was stopped or started.`,
      )
    const labelled = imageLabels(image)[commitName]
    if (built.includes(name) && sha !== null && labelled !== undefined && labelled !== sha)
      throw new Problem(
        'running_version_mismatch',
        `The image of service ${name} says it is commit ${labelled}, not ${sha}. Nothing was stopped or started.`,
      )
    if (!built.includes(name)) await tagImage(at, image.Id, versionImage(project, name, version))
    images[name] = image.Id
  }
  return images
}

/**
 * Services whose image of this version need not be built again: the version is the one that is up (and the image still
 * the recorded one), or it was green, so that a rollback starts exactly what was green; or its name is its content.
 */
export async function provenImages(
  at: Docker,
  { project, version, kind }: ComposeSource,
  services: readonly string[],
  old: Proven | undefined,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const proven = new Set<string>()
  for (const name of services) {
    const image = await imageOf(at, versionImage(project, name, version), signal)
    if (image === null) continue
    const isUp = old?.version === version && old.images[name] === image.Id
    if (isUp || kind === 'console' || (old?.version !== version && old?.green.includes(version)))
      proven.add(name)
  }
  return proven
}

interface Proven {
  readonly version: string
  readonly images: Readonly<Record<string, string>>
  readonly green: readonly string[]
}

/** The compose file with every service tied to an exact image: nothing is built, fetched or chosen any more when it is started. */
export const lockImages = (text: string, images: Readonly<Record<string, string>>): string =>
  withServices(text, (name, service) => {
    const { build: _built, ...rest } = service
    const id = images[name]
    if (id === undefined)
      throw new Problem('docker_compose_failed', `Service ${name} has no image.`)
    return { ...rest, image: id, pull_policy: 'never' }
  })

/** Takes the names of versions off that are in none of `keep`. Images in use stay whatever their name. @returns names taken off */
export async function pruneImages(
  at: Docker,
  project: string,
  services: readonly string[],
  keep: ReadonlySet<string>,
): Promise<string[]> {
  const gone: string[] = []
  for (const service of services) {
    for (const tag of await tagsOf(at, repositoryOf(project, service))) {
      if (!/^[0-9a-f]{40}$/.test(tag) || keep.has(tag)) continue
      const name = versionImage(project, service, tag)
      if (await untagImage(at, name)) gone.push(name)
    }
  }
  return gone
}
