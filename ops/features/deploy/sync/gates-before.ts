// A deploy is judged by the checks of the version that was green before it too: a commit cannot drop its own checks.
import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { checkedFile } from '#ops/platform/git/checked-objects'
import { commitOf } from '#ops/platform/git/commits'
import type { GitOptions } from '#ops/platform/git/run-git'
import { parseProjectConfig, projectConfigName } from '#ops/core/config/settings-files'
import { readGreenBuilds } from '#ops/host/engines/common/green-builds'
import type { DeployHost } from '#ops/features/deploy/state/facts'

type Service = ProjectConfig['services'][number]

/** The version that ended a deploy green last. */
export interface GreenBefore {
  readonly sha: string
  readonly config: ProjectConfig
}

/**
 * @returns null on a first deploy, and for a rollback, which goes back to the checks of its version on purpose
 * @throws {Problem} `state_invalid`, `git_sync_failed`
 */
export async function greenConfig(
  { paths, rollbackTo }: Pick<DeployHost, 'paths' | 'rollbackTo'>,
  options: GitOptions,
  log: (text: string) => void,
): Promise<GreenBefore | null> {
  const sha = readGreenBuilds(paths).at(-1)?.sha
  if (rollbackTo !== null || sha === undefined) return null
  const none = (why: string): null => {
    log(`the checks of ${shortCommit(sha)}, the version that was green last, are not known: ${why}`)
    return null
  }
  if ((await commitOf(paths.root, sha, options)) === null) return none('the clone lacks it')
  const text = await checkedFile(paths.root, { sha, name: projectConfigName }, options)
  if (text === null) return none(`it has no ${projectConfigName}`)
  try {
    return { sha, config: parseProjectConfig(text, `${shortCommit(sha)}:${projectConfigName}`) }
  } catch (error) {
    // A file that this HQ cannot read any more names no check that it could run.
    if (error instanceof Problem && error.errorClass === 'config_invalid')
      return none(error.message)
    throw error
  }
}

const untouched = 'The running version is untouched.'

/**
 * The configuration that the deploy is judged by: an exception counts from the deploy after the one that brings it.
 * @returns the configuration, and the exceptions that do not count yet
 * @throws {Problem} `deploy_check_removed` when a service goes without notice: then nothing would check what it was for
 */
export function judgedConfig(
  config: ProjectConfig,
  before: GreenBefore | null,
): { readonly config: ProjectConfig; readonly notYet: readonly string[] } {
  if (before === null) return { config, notYet: [] }
  for (const service of before.config.services) refuseGone(service, config, before)
  const ports = split(config.ports.exceptions, before.config.ports.exceptions, portName)
  const compose = split(config.compose.exceptions, before.config.compose.exceptions, composeName)
  return {
    config: {
      ...config,
      ports: { ...config.ports, exceptions: ports.known },
      compose: { ...config.compose, exceptions: compose.known },
    },
    notYet: [...ports.fresh, ...compose.fresh],
  }
}

type Ports = ProjectConfig['ports']['exceptions'][number]
type Compose = ProjectConfig['compose']['exceptions'][number]
const portName = ({ protocol, port }: Ports): string => `ports.exceptions ${protocol} ${port}`
const composeName = ({ service, code, subject }: Compose): string =>
  `compose.exceptions ${service} ${code} ${subject}`

function split<T>(
  now: readonly T[],
  before: readonly T[],
  nameOf: (entry: T) => string,
): { readonly known: T[]; readonly fresh: string[] } {
  const names = new Set(before.map(nameOf))
  return {
    known: now.filter((entry) => names.has(nameOf(entry))),
    fresh: now.map(nameOf).filter((name) => !names.has(name)),
  }
}

/**
 * A service may go when another one takes its port, where its check still runs, or when the version before announced
 * it.
 */
function refuseGone(service: Service, config: ProjectConfig, before: GreenBefore): void {
  const { name, port, health, retired } = service
  if (config.services.some((each) => each.name === name || each.port === port)) return
  const short = shortCommit(before.sha)
  if (!retired)
    throw new Problem(
      'deploy_check_removed',
      `services: ${name} (port ${port}, ${health.path}) is in ${short}, which was green last, and not in this ` +
        'commit, so nothing would check any more that it answers. Deploy it once with "retired": true, and remove ' +
        `it with the next commit. ${untouched}`,
    )
  const left = before.config.endpoints.filter((each) => each.service === name)
  if (left.length > 0)
    throw new Problem(
      'deploy_check_removed',
      `endpoints: ${left.map(({ path }) => name + path).join(', ')} of ${short}, which was green last, belong to ` +
        `the service ${name}, which this commit removes. Deploy the removal of the endpoints first. ${untouched}`,
    )
}

/** An address that must answer, because the version before was checked there and this one is not. */
export interface HeldEndpoint {
  readonly service: string
  readonly path: string
  readonly port: number
  /** Field of the answer that must hold the deployed commit. */
  readonly commitField: string | null
}

/** @param config of the version that is deployed */
export function heldEndpoints(config: ProjectConfig, before: ProjectConfig): HeldEndpoint[] {
  const now = (of: string): Service | undefined => {
    const old = before.services.find(({ name }) => name === of)
    return (
      config.services.find(({ name }) => name === of) ??
      config.services.find(({ port }) => port === old?.port)
    )
  }
  const healths = before.services.flatMap(({ name, health }): HeldEndpoint[] => {
    const service = now(name)
    const commitField = health.commit_field ?? null
    const same =
      service?.health.path === health.path &&
      (commitField === null || service.health.commit_field === commitField)
    return service === undefined || same
      ? []
      : [{ service: service.name, path: health.path, port: service.port, commitField }]
  })
  const endpoints = before.endpoints.flatMap(({ service: of, path }): HeldEndpoint[] => {
    const service = now(of)
    const kept = config.endpoints.some(
      (each) => each.service === service?.name && each.path === path,
    )
    return service === undefined || kept
      ? []
      : [{ service: service.name, path, port: service.port, commitField: null }]
  })
  return [...healths, ...endpoints]
}

/** Routes of the version before that this one does not name. */
export const heldRoutes = (config: ProjectConfig, before: ProjectConfig): string[] =>
  before.routes
    .map(({ path }) => path)
    .filter((path) => !config.routes.some((each) => each.path === path))
