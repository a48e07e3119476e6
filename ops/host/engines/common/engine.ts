// What an engine must offer: everything HQ does with the services of a project goes through this interface.
import type { ProjectConfig } from '#shared/config'
import type { HostPaths } from '#ops/base/paths/paths'
import type { OpenSocket } from '#ops/platform/net/sockets'
import type { HostCheck } from '#ops/core/checks/host-check'
import type { DoctorContext } from '#ops/core/checks/context'
import type { ServiceSpec } from '#ops/core/host-state/service-record'
import type { StepContext } from '#ops/core/pipeline/pipeline'

/** The host that an engine works on: its paths, and its settings as they were read when the run began. */
export type EngineHost = Pick<DoctorContext, 'paths' | 'settings'>

export interface BuildTarget extends EngineHost {
  readonly config: ProjectConfig
  /** Full commit id that is deployed. */
  readonly sha: string
}

export interface Target extends BuildTarget {
  /** How to start HQ's console. It is brought up with the project's services. */
  readonly console: ServiceSpec
}

/** The result of a build: all that is needed to start the version. */
export interface Build {
  readonly sha: string
  readonly folder: string
  /** SHA-256 over every path and content of `folder`. */
  readonly digest: string
}

export interface UpReport {
  /** Names of services that were started, and of those that already ran in this version. */
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
  readonly stopped: readonly string[]
  /**
   * Longest time in which one of the project's services did not answer, milliseconds; null when no answering version
   * was replaced.
   */
  readonly unansweredMs: number | null
  /** Release folders of versions that were replaced, with the files that services wrote into them. */
  readonly written: readonly WrittenFolder[]
}

export interface WrittenFolder {
  readonly folder: string
  /** Relative to the folder. */
  readonly files: readonly string[]
}

/** The version that must run. A null field stands for what was last recorded as serving. */
export interface Expected {
  readonly sha: string | null
  readonly digest: string | null
}

/** How what runs compares with what was built: one sentence part per finding. */
export interface RunningReport {
  readonly wrong: readonly string[]
  readonly good: readonly string[]
}

export interface ServiceDigest {
  readonly name: string
  /** Of the image of a container, or of the folder of a process. */
  readonly sha256: string
}

export interface ServiceHealth {
  readonly name: string
  readonly kind: 'project' | 'console'
  readonly alive: boolean
  /** Why it is unhealthy; null when it is healthy. */
  readonly why: string | null
  readonly detail: string
}

export interface ServiceSocket extends OpenSocket {
  /** Name of the service that has it open. */
  readonly service: string
}

/** A release folder that a service uses. */
export interface UsedFolder {
  readonly folder: string
  /** False when it may be written again: it is recorded, but nothing runs from it. */
  readonly busy: boolean
}

export interface Progress {
  readonly log: (text: string) => void
  readonly signal?: AbortSignal
  /** Runs right before the first service that serves is replaced. When it throws, nothing is replaced. */
  readonly beforeSwitch?: () => void
}

/** One service as guard sees it. */
export interface GuardTarget {
  /** What the remediation is applied to and counted for. */
  readonly target: string
  /** Name of its check in guard's document. */
  readonly check: string
  /** `due`: a restart is needed. `fail`: it is unhealthy, and a restart by guard is not allowed. */
  readonly state: 'good' | 'due' | 'fail'
  readonly detail: string
}

export interface RestartRequest {
  readonly host: EngineHost
  /** `target` of a `GuardTarget`. */
  readonly target: string
  /** Longest wait for another process that starts or stops services, milliseconds. */
  readonly patienceMs: number
  readonly signal?: AbortSignal | undefined
}

/** How guard watches the services of an engine, and restarts them. */
export interface EngineGuard {
  readonly remediation: 'restart_service' | 'restart_container'
  /** Probes every service and changes nothing. @throws {Problem} when the services cannot be probed */
  targets(host: EngineHost, signal?: AbortSignal): Promise<GuardTarget[]>
  /**
   * Restarts one service and waits until it is healthy.
   * @returns what was done, in one sentence without its full stop; `acted: false` when it was healthy again
   * @throws {Problem} `lane_busy` when a deploy holds the services; any other class when the restart did not help
   */
  restart(request: RestartRequest): Promise<{ readonly acted: boolean; readonly reason: string }>
}

/** Builds releases. Which folders are in use depends on the services of all engines, so all engines share it. */
export interface ReleaseBuilds {
  readonly build: Engine['build']
  /**
   * Removes builds that no engine uses and no rollback needs.
   * @returns those of them that had been kept for what a service wrote into them
   */
  prune(paths: HostPaths, project: string): string[]
}

/** Runs the services of a project: `process` as plain processes, `compose` as containers. */
export interface Engine {
  readonly name: ProjectConfig['engine']
  /**
   * True: the machine may run other programs, and the port audit judges only what HQ started. False: the host is HQ's
   * own, and everything on it is judged.
   */
  readonly sharesMachine: boolean

  /** Why this engine cannot run services on such a host, in full sentences; null when it can. */
  whyUnsuitable(settings: EngineHost['settings']): string | null
  /** What this host still lacks for a first deploy, one sentence each. None of it is a failure. */
  missing(host: EngineHost): Promise<string[]>
  /** True when this engine has started services on this host at any time. */
  wasUsed(paths: HostPaths): boolean

  /** Files of the release that a build must leave as they were reviewed. */
  reviewedFiles(config: ProjectConfig): readonly string[]
  /**
   * The ports of the services are free, or held by the version that is going to be replaced. Call it before a build,
   * which may take long.
   * @throws {Problem} `port_in_use`, `state_invalid`, `docker_unreachable`
   */
  requirePorts(target: BuildTarget, signal?: AbortSignal): Promise<void>
  /**
   * Builds the target beside what runs. What runs is not touched.
   * @throws {Problem} `console_build_failed`, `git_sync_failed`
   */
  build(target: BuildTarget, context: StepContext): Promise<Build>
  /**
   * Brings the build up. On failure what served before serves again.
   * @throws {Problem} `service_unhealthy`, `public_port`, `port_in_use`, `config_invalid`, `docker_compose_failed`
   */
  up(target: Target, build: Build, progress: Progress): Promise<UpReport>
  /** Stops all services. */
  down(host: EngineHost): Promise<void>

  /** Names of all services that were brought up, the console included. @throws {Problem} `state_invalid` */
  servicesUp(paths: HostPaths): string[]
  /** What each service was brought up from, as SHA-256: the digest that `running` compares with. */
  digests(paths: HostPaths): ServiceDigest[]
  /** Compares what runs with what was built. @throws {Problem} `state_invalid`, `docker_unreachable` */
  running(host: EngineHost, expected: Expected, signal?: AbortSignal): Promise<RunningReport>
  /** Probes each service that should be up, once. */
  health(host: EngineHost, signal?: AbortSignal): Promise<ServiceHealth[]>
  /** Sockets that the services have open, and whatever listens on their ports. */
  ports(host: EngineHost): Promise<ServiceSocket[]>
  /** Release folders of the services. */
  folders(paths: HostPaths): UsedFolder[]

  /** Names of the images that a rollback to this version needs. @throws {Problem} `state_invalid` */
  images(paths: HostPaths, project: string, sha: string): string[]
  /** True when this engine still has the image. */
  hasImage(host: EngineHost, name: string, signal?: AbortSignal): Promise<boolean>
  /** Records that the deploy of this version ended green, so that what it runs from is kept. */
  markGreen(paths: HostPaths, project: string, sha: string): void

  readonly guard: EngineGuard
  readonly doctorChecks: readonly HostCheck[]
}
