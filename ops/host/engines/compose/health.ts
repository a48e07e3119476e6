import { containers, isOneOff, serviceOf, type Container } from '#ops/platform/docker/containers'
import { imageLabels, imageOf } from '#ops/platform/docker/images'
import type { HostPaths } from '#ops/base/paths/paths'
import { redact } from '#ops/base/redact/redaction'
import type { ServiceHealth } from '#ops/host/engines/common/engine'
import { lookAt } from '#ops/base/http/health'
import { readComposeRecords, type ComposeRecord } from './record.ts'
import { dockerOf } from './rules.ts'
import { answerUrl } from './wait-until-settled.ts'
import { commitName, versionImage } from './version-images.ts'

interface Seen {
  readonly record: ComposeRecord
  readonly found: readonly Container[]
}

async function look(paths: HostPaths, signal?: AbortSignal): Promise<Seen[]> {
  return Promise.all(
    readComposeRecords(paths).map(async (record) => ({
      record,
      found: (
        await containers(dockerOf(paths), { project: record.project, all: true, signal })
      ).filter((each) => !isOneOff(each)),
    })),
  )
}

async function serviceHealth(
  { record, found }: Seen,
  name: string,
  signal?: AbortSignal,
): Promise<ServiceHealth> {
  const own = found.filter((each) => serviceOf(each) === name)
  const up = own.filter(({ State }) => State.Running)
  const { kind, sha } = record
  const serving = record.services.find((each) => each.name === name)
  const title = kind === 'console' ? record.project : name
  const of = (alive: boolean, why: string | null, detail: string): ServiceHealth => ({
    name: title,
    kind,
    alive,
    why,
    detail,
  })
  const not = (alive: boolean, why: string): ServiceHealth => of(alive, why, `${title}: ${why}`)
  if (own.length === 0) return not(false, 'it has no container')
  if (up.length < own.length) {
    const ended = own.find(({ State }) => !State.Running)
    // A one-shot that ended well has done what it was for.
    if (ended && (ended.State.ExitCode !== 0 || serving))
      return not(
        false,
        `its container ${ended.State.Status} with exit code ${ended.State.ExitCode}`,
      )
  }
  const sick = up.find(({ State }) => State.Health?.Status === 'unhealthy')
  if (sick)
    return not(
      true,
      `its health check fails: ${redact.text(sick.State.Health?.Log?.at(-1)?.Output.trim() ?? 'no output').slice(0, 200)}`,
    )
  if (!serving)
    return of(
      up.length > 0,
      null,
      up.length > 0
        ? `${title} runs in ${up.length === 1 ? 'a container' : `${up.length} containers`}`
        : `${title} has done its work and ended`,
    )
  const url = answerUrl(serving.port, serving.health.path)
  const why = await lookAt(
    url,
    { commitField: serving.health.commit_field, commit: sha },
    signal ? { signal } : {},
  )
  return why === null
    ? of(
        true,
        null,
        `${title} answers on port ${serving.port}${sha === null ? '' : ` (${sha.slice(0, 12)})`}`,
      )
    : of(true, why, `${title} at ${url}: ${why}`)
}

/** A service of a recorded version, its containers, and how it is. */
export interface ServiceSeen {
  readonly record: ComposeRecord
  readonly service: string
  readonly own: readonly Container[]
  readonly health: ServiceHealth
}

/** One look at every service that should be up, and its containers. @throws {Problem} `docker_compose_failed` when Docker does not answer */
export async function composeServices(
  paths: HostPaths,
  signal?: AbortSignal,
): Promise<ServiceSeen[]> {
  const seen = await look(paths, signal)
  return Promise.all(
    seen.flatMap((each) =>
      Object.keys(each.record.images).map(async (service): Promise<ServiceSeen> => ({
        record: each.record,
        service,
        own: each.found.filter((one) => serviceOf(one) === service),
        health: await serviceHealth(each, service, signal),
      })),
    ),
  )
}

/** @throws {Problem} `docker_compose_failed` when Docker does not answer */
export const composeHealth = async (
  paths: HostPaths,
  signal?: AbortSignal,
): Promise<ServiceHealth[]> => (await composeServices(paths, signal)).map(({ health }) => health)

/**
 * What runs must be what was built: the image of every container is the recorded one, which is the one that carries the
 * commit's name; an image that says which commit it is must say this one.
 * @param expected what the deploy built; null: what was last recorded
 * @returns what is wrong; empty when all is as it should be
 * @throws {Problem} `docker_compose_failed`, `state_invalid`
 */
export async function runningProblems(
  paths: HostPaths,
  expected: { readonly sha: string | null; readonly digest: string | null },
  signal?: AbortSignal,
): Promise<{ wrong: string[]; good: string[] }> {
  const at = dockerOf(paths)
  const wrong: string[] = []
  const good: string[] = []
  for (const { record, found } of await look(paths, signal)) {
    if (record.kind === 'project' && expected.sha !== null && record.sha !== expected.sha)
      wrong.push(
        `${record.project} was brought up as ${record.sha ?? 'no commit'}, not ${expected.sha}`,
      )
    if (record.kind === 'project' && expected.digest !== null && record.digest !== expected.digest)
      wrong.push(`${record.project} was brought up from a build with another digest`)
    for (const [name, id] of Object.entries(record.images)) {
      const image = await imageOf(at, versionImage(record.project, name, record.version), signal)
      const own = found.filter((each) => serviceOf(each) === name)
      const says = image ? imageLabels(image)[commitName] : undefined
      if (image?.Id !== id)
        wrong.push(
          `the image of ${name} for ${record.version.slice(0, 12)} is ${image?.Id.slice(7, 19) ?? 'gone'}, not ${id.slice(7, 19)}`,
        )
      else if (own.length === 0) wrong.push(`${name} has no container`)
      else if (own.some(({ Image }) => Image !== id))
        wrong.push(
          `a container of ${name} runs the image ${own.find(({ Image }) => Image !== id)?.Image.slice(7, 19) ?? '?'}, not ${id.slice(7, 19)}`,
        )
      else if (record.sha !== null && says !== undefined && says !== record.sha)
        wrong.push(`the image of ${name} says it is commit ${says}`)
      else good.push(`${name} runs image ${id.slice(7, 19)} of ${record.version.slice(0, 12)}`)
    }
  }
  return { wrong, good }
}
