import { join } from 'node:path'
import { z } from 'zod'
import { commitId, sha256 } from '#shared/ids'
import { Problem } from '#shared/errors'
import { dockerDo, type DockerOptions } from '#ops/platform/docker/client'
import type { Docker } from '#ops/platform/docker/engine-api'
import { parseJson } from '#ops/base/files/json-file'
import { composeModel, type ComposeModel } from './model.ts'

/** One compose project: a version of it, and all that is needed to bring exactly that version up (again). No secret is in it. */
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

/** `docker compose` for a project: `model` is its whole compose file, handed over on standard input. @throws {Problem} `docker_compose_failed` */
export const composeDo = (
  at: Docker,
  { project, folder, env }: Pick<ComposeSource, 'project' | 'folder' | 'env'>,
  model: string,
  args: readonly string[],
  options: DockerOptions & { title?: string } = {},
): Promise<string> =>
  dockerDo(
    at,
    [
      'compose',
      '--ansi',
      'never',
      '--project-name',
      project,
      '--project-directory',
      folder,
      '--file',
      '-',
      ...args,
    ],
    {
      title: `docker compose ${args[0] ?? ''}`,
      ...options,
      cwd: folder,
      env,
      input: model,
    },
  )

/** The compose file as Compose understood it: `text` is what is built and started, `model` what HQ judges. */
export interface Rendered {
  readonly text: string
  readonly model: ComposeModel
}

/**
 * Compose reads what the file names (`env_file`, `extends`, `include`) while it renders, before anything can be judged, and
 * writes it into the model: so it does that with no more power than the account that builds.
 * @throws {Problem} `docker_compose_failed` when the file is off, or names what that account may not read, with what Compose said
 */
export async function render(
  at: Docker,
  { project, folder, files, env }: ComposeSource,
  signal?: AbortSignal,
): Promise<Rendered> {
  const named = files.flatMap((file) => ['--file', join(folder, file)])
  const text = await dockerDo(
    at,
    [
      'compose',
      '--ansi',
      'never',
      '--project-name',
      project,
      '--project-directory',
      folder,
      ...named,
      'config',
      '--format',
      'json',
    ],
    {
      cwd: folder,
      env,
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
  return {
    text,
    model: parseJson(text, composeModel, 'docker_compose_failed', `rendered ${files.join(', ')}`),
  }
}

const rawModel = z.looseObject({ services: z.record(z.string(), z.looseObject({})) })

/** The rendered file with other settings for its services; everything else stays as Compose wrote it. */
export function withServices(
  text: string,
  change: (name: string, service: Record<string, unknown>) => Record<string, unknown>,
): string {
  const raw = parseJson(text, rawModel, 'docker_compose_failed', 'rendered compose file')
  return JSON.stringify({
    ...raw,
    services: Object.fromEntries(
      Object.entries(raw.services).map(([name, service]) => [name, change(name, service)]),
    ),
  })
}

/** Names that must start first come first. Compose refuses circles itself. */
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

/** Services that do their work once and end: another one waits for that. */
export const oneShots = ({ services }: ComposeModel): Set<string> =>
  new Set(
    Object.values(services).flatMap(({ depends_on }) =>
      Object.entries(depends_on).flatMap(([name, { condition }]) =>
        condition === 'service_completed_successfully' ? [name] : [],
      ),
    ),
  )

/** The port inside the container behind the published port of a service. @throws {Problem} `config_invalid` when the compose file publishes no such port on loopback */
export function insidePort(
  model: ComposeModel,
  { name, port }: { name: string; port: number },
  files: readonly string[],
): number {
  const service = model.services[name]
  if (service === undefined)
    throw new Problem(
      'config_invalid',
      `openclaw.config.json names the service ${name}, which ${files.join(', ')} does not have. Nothing was stopped or started.`,
    )
  const publish = service.ports.find(
    (each) => each.protocol === 'tcp' && each.published === String(port),
  )
  if (publish === undefined)
    throw new Problem(
      'config_invalid',
      `openclaw.config.json says that service ${name} answers on port ${port}, which ${files.join(', ')} does not publish. Nothing was stopped or started.`,
    )
  return publish.target
}
