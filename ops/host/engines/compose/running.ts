// Compares the containers that run with the version that was built.
import { shortCommit } from '#shared/ids'
import { serviceOf, type Container } from '#ops/platform/docker/containers'
import type { Docker } from '#ops/platform/docker/engine-api'
import { imageLabels, imageOf } from '#ops/platform/docker/images'
import type { EngineHost, Expected, RunningReport } from '#ops/host/engines/common/engine'
import { dockerOf } from '#ops/host/engines/common/host-docker'
import { composeProjects, type FoundProject } from './health.ts'
import type { ComposeRecord } from './record.ts'
import { commitName, versionImage } from './version-images.ts'

/**
 * What runs must be what was built. The image of every container is the recorded one, which is the one that carries
 * the commit's name; an image that names its commit must name this one.
 * @param expected what the deploy built; null: what was last recorded
 * @throws {Problem} `docker_unreachable`, `docker_compose_failed`, `state_invalid`
 */
export async function composeRunning(
  host: EngineHost,
  expected: Expected,
  signal?: AbortSignal,
): Promise<RunningReport> {
  const at = dockerOf(host)
  const wrong: string[] = []
  const good: string[] = []
  for (const { record, found } of await composeProjects(host, signal)) {
    if (record.kind === 'project') wrong.push(...whyOtherVersion(record, expected))
    for (const service of Object.keys(record.images)) {
      const why = await whyOtherImage(at, { record, service, found }, signal)
      if (why === null)
        good.push(
          `${service} runs image ${short(record.images[service])} of ${shortCommit(record.version)}`,
        )
      else wrong.push(why)
    }
  }
  return { wrong, good }
}

const short = (id: string | undefined): string => id?.slice(7, 19) ?? '?'

function whyOtherVersion({ project, sha, digest }: ComposeRecord, expected: Expected): string[] {
  const wrong: string[] = []
  if (expected.sha !== null && sha !== expected.sha)
    wrong.push(`${project} was brought up as ${sha ?? 'no commit'}, not ${expected.sha}`)
  if (expected.digest !== null && digest !== expected.digest)
    wrong.push(`${project} was brought up from a build with another digest`)
  return wrong
}

async function whyOtherImage(
  at: Docker,
  { record, service, found }: FoundProject & { readonly service: string },
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const id = record.images[service]
  const image = await imageOf(at, versionImage(record.project, service, record.version), signal)
  const own = found.filter((each) => serviceOf(each) === service)
  if (image?.Id !== id)
    return (
      `the image of ${service} for ${shortCommit(record.version)} is ` +
      `${image === null ? 'gone' : short(image.Id)}, not ${short(id)}`
    )
  if (own.length === 0) return `${service} has no container`
  const other = own.find(({ Image }: Container) => Image !== id)
  if (other)
    return `a container of ${service} runs the image ${short(other.Image)}, not ${short(id)}`
  const named = image && imageLabels(image)[commitName]
  return record.sha !== null && typeof named === 'string' && named !== record.sha
    ? `the image of ${service} says it is commit ${named}`
    : null
}
