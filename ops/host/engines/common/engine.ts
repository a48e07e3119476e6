import type { ProjectConfig } from '#shared/config'
import type { HostPaths } from '#ops/base/paths/paths'
import type { OpenSocket } from '#ops/platform/net/sockets'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import type { ServiceSpec } from '#ops/core/host-state/service-record'

export interface BuildTarget {
  readonly paths: HostPaths
  readonly config: ProjectConfig
  /** Full commit id that is deployed. */
  readonly sha: string
}

export interface Target extends BuildTarget {
  /** Ports of services that the host's settings replace. */
  readonly servicePorts: Readonly<Record<string, number>>
  /** Starts HQ's console; it is brought up with the project's services. */
  readonly console: ServiceSpec
}

/** What a build left: everything that is needed to start the version, apart from what runs now. */
export interface Build {
  readonly sha: string
  readonly folder: string
  /** SHA-256 over every path and content of `folder`. */
  readonly digest: string
}

export interface UpReport {
  /** Names of services that were started, and of those that ran already as wanted. */
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
  readonly stopped: readonly string[]
  /** Longest time one of the project's services did not answer, milliseconds; null when no answering version was replaced. */
  readonly unansweredMs: number | null
}

export interface ServiceHealth {
  readonly name: string
  readonly kind: 'project' | 'console'
  readonly alive: boolean
  readonly why: string | null
  readonly detail: string
}

export interface Progress {
  readonly log: (text: string) => void
  readonly signal?: AbortSignal
}

/**
 * The release folders of a project. Each engine is given this, because which folders are in use depends on the
 * services of all engines.
 */
export interface ReleaseBuilds {
  readonly build: Engine['build']
  /** Removes builds that no engine uses and no rollback needs. */
  prune(paths: HostPaths, project: string): void
}

/** What carries the services of a project (design §7): `process` here, `compose` in production. */
export interface Engine {
  readonly name: 'process' | 'compose'
  /** Builds the target beside what runs; nothing that runs is touched. @throws {Problem} `console_build_failed`, `git_sync_failed` */
  build(target: BuildTarget, context: StepContext): Promise<Build>
  /** Brings the build up; on failure what served before serves again. @throws {Problem} `service_unhealthy`, `public_port`, `port_in_use`, `docker_compose_failed` */
  up(target: Target, build: Build, progress: Progress): Promise<UpReport>
  /** One look at each service that should be up. */
  health(paths: HostPaths, signal?: AbortSignal): Promise<ServiceHealth[]>
  /** Sockets that the services have open. */
  ports(paths: HostPaths): OpenSocket[] | Promise<OpenSocket[]>
  /** Stops all services. */
  down(paths: HostPaths): Promise<void>
}
