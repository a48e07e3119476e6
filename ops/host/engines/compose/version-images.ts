// The images of a version: built or fetched, named after the commit, and removed when no version needs them.
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

/** Label and build argument by which an image can name its commit. */
export const commitName = 'OPENCLAW_GIT_HEAD'

const untouched = 'Nothing was stopped or started.'
const repositoryOf = (project: string, service: string): string => `${project}-${service}`

/** Name of a version's image of a service. The tag is the commit, so the image itself need not change with it. */
export const versionImage = (project: string, service: string, version: string): string =>
  `${repositoryOf(project, service)}:${version}`

interface Wanted {
  readonly at: Docker
  readonly source: ComposeSource
  readonly rendered: Rendered
  /** Services whose image of this version is proven already: it is used as it is, not built again. */
  readonly proven: ReadonlySet<string>
}

/**
 * Builds and fetches what is missing, and gives every image the name of this version. Nothing that runs is touched.
 * @returns service to image id
 * @throws {Problem} `docker_compose_failed`; `running_version_mismatch` when a built image names another commit
 */
export async function makeImages(
  wanted: Wanted,
  progress: Progress,
): Promise<Record<string, string>> {
  const { model } = wanted.rendered
  const names = Object.keys(model.services)
  const built = new Set(names.filter((name) => model.services[name]?.build !== undefined))
  await buildImages(wanted, built, progress)
  const images: Record<string, string> = {}
  for (const name of names)
    images[name] = await imageForVersion(wanted, { name, built: built.has(name) }, progress)
  return images
}

async function buildImages(
  { at, source, rendered, proven }: Wanted,
  built: ReadonlySet<string>,
  { log, signal }: Progress,
): Promise<void> {
  const { project, version, sha } = source
  const due = [...built].filter((name) => !proven.has(name))
  if (due.length === 0) return
  const text = withServices(rendered.text, (name, service) =>
    built.has(name) ? { ...service, image: versionImage(project, name, version) } : service,
  )
  // One at a time: of builds side by side, one that fails cancels the others, and what is reported may be a lost
  // connection of those instead of the error (moby/buildkit#748).
  for (const name of due) {
    log(`building ${name} of ${project}`)
    await composeDo(
      { at, source, text },
      ['build', ...(sha === null ? [] : ['--build-arg', `${commitName}=${sha}`]), name],
      {
        signal,
        timeLimitSeconds: buildSeconds,
        onLine: (line) => log(line),
        title: `Build of ${name} failed, the running version is untouched: docker compose build`,
      },
    )
  }
}

/** Fetches the image when it is missing, and gives it the name of this version. @returns its id */
async function imageForVersion(
  { at, source, rendered: { model } }: Wanted,
  { name, built }: { readonly name: string; readonly built: boolean },
  { log, signal }: Progress,
): Promise<string> {
  const { project, version, sha, env } = source
  const named = versionImage(project, name, version)
  const wanted = built ? named : model.services[name]?.image
  if (wanted === undefined)
    throw new Problem(
      'docker_compose_failed',
      `Service ${name} of ${project} has neither a build nor an image. ${untouched}`,
    )
  if ((await imageOf(at, wanted, signal)) === null) {
    log(`fetching ${wanted}`)
    await dockerDo(at, ['pull', '--quiet', wanted], {
      signal,
      timeLimitSeconds: buildSeconds,
      env,
      title: `Image ${wanted} of service ${name} cannot be fetched, what serves is untouched: docker pull`,
    })
  }
  const image = await imageOf(at, wanted, signal)
  if (image === null)
    throw new Problem(
      'docker_compose_failed',
      `Image ${wanted} of service ${name} is missing although it was just made. ${untouched}`,
    )
  const labelled = imageLabels(image)[commitName]
  if (built && sha !== null && labelled !== undefined && labelled !== sha)
    throw new Problem(
      'running_version_mismatch',
      `The image of service ${name} says it is commit ${labelled}, not ${sha}. ${untouched}`,
    )
  if (!built) await tagImage(at, image.Id, named)
  return image.Id
}

interface Proven {
  readonly version: string
  readonly images: Readonly<Record<string, string>>
  readonly green: readonly string[]
}

/**
 * Services whose image of this version need not be built again: the version is the one that is up, and the image still
 * the recorded one; or it was green, so that a rollback starts exactly what was green; or its name is its content.
 */
export async function provenImages(
  { at, source, old }: { at: Docker; source: ComposeSource; old: Proven | undefined },
  services: readonly string[],
  signal?: AbortSignal,
): Promise<Set<string>> {
  const { project, version, kind } = source
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

/**
 * The compose file with every service tied to an exact image: nothing is built, fetched or chosen any more when it is
 * started.
 */
export const lockImages = (text: string, images: Readonly<Record<string, string>>): string =>
  withServices(text, (name, service) => {
    const { build: _built, ...rest } = service
    const id = images[name]
    if (id === undefined)
      throw new Problem('docker_compose_failed', `Service ${name} has no image.`)
    return { ...rest, image: id, pull_policy: 'never' }
  })

/**
 * Removes the names of versions that are not in `keep`. Images in use stay, whatever their name.
 * @returns the removed names
 */
export async function pruneImages(
  at: Docker,
  { project, services }: { readonly project: string; readonly services: readonly string[] },
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
