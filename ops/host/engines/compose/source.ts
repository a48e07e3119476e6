// One version of a compose project, and `docker compose` for it.
import { join } from 'node:path'
import { z } from 'zod'
import { commitId, sha256 } from '#shared/ids'
import { Problem } from '#shared/errors'
import { parseJson } from '#ops/base/files/json-file'
import { dockerDo, type DockerOptions } from '#ops/platform/docker/client'
import type { Docker } from '#ops/platform/docker/engine-api'
import { composeModel, type ComposeModel } from './model.ts'

/** All that is needed to bring exactly one version of a compose project up (again). It holds no secret. */
export const composeSource = z.strictObject({
  /** Name of the compose project. */
  project: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  kind: z.enum(['project', 'console']),
  /** Folder of the release, and the compose files in it. */
  folder: z.string(),
  files: z.array(z.string()).min(1),
  /** Tag of the images of this version. */
  version: z.string().regex(/^[0-9a-f]{40}$/),
  /** Commit it was built from; null for the console of an installed HQ. */
  sha: commitId.nullable(),
  /** Digest of the release folder. */
  digest: sha256,
  /** What the compose files may refer to. */
  env: z.record(z.string(), z.string()),
  /** Services that answer HTTP on a published loopback port. */
  services: z.array(
    z.strictObject({
      name: z.string(),
      port: z.number().int(),
      health: z.strictObject({
        path: z.string(),
        commit_field: z.string().nullable(),
        timeout_seconds: z.number().positive(),
      }),
    }),
  ),
})
export type ComposeSource = z.infer<typeof composeSource>

/** Limit for a build or a fetch, and for starting containers, in seconds. */
export const buildSeconds = 1800
export const startSeconds = 300

/** A compose file that is whole, for the project whose folder and environment it is read with. */
export interface ComposeFile {
  readonly at: Docker
  readonly source: Pick<ComposeSource, 'project' | 'folder' | 'env'>
  /** The compose file itself. Compose reads it from standard input. */
  readonly text: string
}

const composeArgs = (project: string, folder: string): string[] => [
  'compose',
  '--ansi',
  'never',
  '--project-name',
  project,
  '--project-directory',
  folder,
]

/** Runs `docker compose` for a project. @throws {Problem} `docker_compose_failed` */
export const composeDo = (
  { at, source: { project, folder, env }, text }: ComposeFile,
  args: readonly string[],
  options: DockerOptions & { title?: string } = {},
): Promise<string> =>
  dockerDo(at, [...composeArgs(project, folder), '--file', '-', ...args], {
    title: `docker compose ${args[0] ?? ''}`,
    ...options,
    cwd: folder,
    env,
    input: text,
  })

/** The compose file as Compose understood it: `text` is what is built and started, `model` what HQ judges. */
export interface Rendered {
  readonly text: string
  readonly model: ComposeModel
}

/**
 * Compose reads remote files (`include` or `extends` of a git or OCI address) unless these are off: what they say
 * was not reviewed.
 */
const localFilesOnly = {
  COMPOSE_EXPERIMENTAL_GIT_REMOTE: 'false',
  COMPOSE_EXPERIMENTAL_OCI_REMOTE: 'false',
} as const

/**
 * Renders the compose files. While it renders, Compose reads the files that they name (`env_file`, `extends`,
 * `include`) and copies them into the model, before anything can be judged. So this runs as the account that builds.
 * @throws {Problem} `docker_compose_failed`, with what Compose said, when a compose file is invalid or names a file
 *   that this account may not read
 */
export async function render(
  at: Docker,
  { project, folder, files, env }: ComposeSource,
  signal?: AbortSignal,
): Promise<Rendered> {
  const named = files.flatMap((file) => ['--file', join(folder, file)])
  const text = await dockerDo(
    at,
    [...composeArgs(project, folder), ...named, 'config', '--format', 'json'],
    {
      cwd: folder,
      env: { ...env, ...localFilesOnly },
      signal,
      as: at.reader,
      title: `${files.join(', ')} cannot be used: docker compose config`,
    },
  ).catch((error: unknown) => {
    const said = error instanceof Problem ? error.evidence.at(-1) : undefined
    throw error instanceof Problem && said !== undefined
      ? new Problem(error.errorClass, `${error.message.replace(/\.$/, '')}: ${said}.`, {
          cause: error,
          evidence: error.evidence,
        })
      : error
  })
  const whole = withoutAbsent(text)
  return {
    text: whole,
    model: parseJson(whole, composeModel, {
      errorClass: 'docker_compose_failed',
      origin: `rendered ${files.join(', ')}`,
    }),
  }
}

/**
 * Compose leaves the services of an inactive profile out of the rendered file, but not the optional dependencies on
 * them, and then does not read its own file again.
 */
export function withoutAbsent(text: string): string {
  const { services } = parseJson(text, rawModel, {
    errorClass: 'docker_compose_failed',
    origin: 'rendered compose file',
  })
  const isKept = ([name, { required }]: readonly [string, { required?: unknown }]): boolean =>
    Object.hasOwn(services, name) || required !== false
  return withServices(text, (_name, { depends_on, ...service }) => {
    const parsed = dependencies.safeParse(depends_on)
    const kept = parsed.success
      ? Object.fromEntries(Object.entries(parsed.data).filter(isKept))
      : depends_on
    return depends_on === undefined ? service : { ...service, depends_on: kept }
  })
}

const dependencies = z.record(z.string(), z.looseObject({ required: z.boolean().optional() }))
const rawModel = z.looseObject({ services: z.record(z.string(), z.looseObject({})) })

/** The rendered file with other settings for its services. Everything else stays as Compose wrote it. */
export function withServices(
  text: string,
  change: (name: string, service: Record<string, unknown>) => Record<string, unknown>,
): string {
  const raw = parseJson(text, rawModel, {
    errorClass: 'docker_compose_failed',
    origin: 'rendered compose file',
  })
  return JSON.stringify({
    ...raw,
    services: Object.fromEntries(
      Object.entries(raw.services).map(([name, service]) => [name, change(name, service)]),
    ),
  })
}

/** Service names, those that must start first at the front. Compose itself refuses circles. */
export function inOrder({ services }: ComposeModel): string[] {
  const order: string[] = []
  const visit = (name: string): void => {
    const service = services[name]
    if (service === undefined || order.includes(name)) return
    const shared = [service.network_mode, service.pid, service.ipc].flatMap((mode) =>
      mode.startsWith('service:') ? [mode.slice('service:'.length)] : [],
    )
    for (const before of [...Object.keys(service.depends_on), ...shared])
      if (before !== name) visit(before)
    order.push(name)
  }
  for (const name of Object.keys(services)) visit(name)
  return order
}

/** Services that do their work once and end: another service waits for their end. */
export const oneShots = ({ services }: ComposeModel): Set<string> =>
  new Set(
    Object.values(services).flatMap(({ depends_on }) =>
      Object.entries(depends_on).flatMap(([name, { condition }]) =>
        condition === 'service_completed_successfully' ? [name] : [],
      ),
    ),
  )

/**
 * The port inside the container behind the published port of a service.
 * @throws {Problem} `config_invalid` when the compose file publishes no such port on loopback
 */
export function insidePort(
  model: ComposeModel,
  { name, port }: { name: string; port: number },
  files: readonly string[],
): number {
  const service = model.services[name]
  if (service === undefined)
    throw new Problem(
      'config_invalid',
      `openclaw.config.json names the service ${name}, which ${files.join(', ')} does not have. ` +
        'Nothing was stopped or started.',
    )
  const publish = service.ports.find(
    (each) => each.protocol === 'tcp' && each.published === String(port),
  )
  if (publish === undefined)
    throw new Problem(
      'config_invalid',
      `openclaw.config.json says that service ${name} answers on port ${port}, which ` +
        `${files.join(', ')} does not publish. Nothing was stopped or started.`,
    )
  return publish.target
}
