import type { DoctorContext } from '#ops/core/checks/context'
import type { RemediationId } from '#shared/errors/remediations'

export type GuardHost = Pick<DoctorContext, 'paths' | 'settings' | 'hostdUrl'>

/** What guard may do, by name. Everything else it leaves to people and deploys. */
export const guardRemediations = [
  'restart_hostd',
  'restart_service',
  'restart_container',
  'enable_timer',
] as const satisfies readonly RemediationId[]
export type GuardRemediationId = (typeof guardRemediations)[number]

/** One thing that was looked at. */
export interface Seen {
  /** What the remediation is applied to and counted for. */
  readonly target: string
  /** Name of its check in the document of the pass. */
  readonly check: string
  /** `due`: the remediation is for this. `fail` and `warn`: something is wrong, and it is not for guard to mend. `skip`: there is no such thing here. */
  readonly state: 'good' | 'due' | 'fail' | 'warn' | 'skip'
  readonly detail: string
  /** What mends it when guard does not; default `deploy_again`. */
  readonly remedy?: RemediationId
}

export interface Remediation {
  readonly id: GuardRemediationId
  /** How bad it is when it is due and was not done: a service that is away fails the pass, a timer does not. */
  readonly undone: 'FAIL' | 'WARN'
  /** One look, which changes nothing. @throws {Problem} when it cannot be seen */
  look(host: GuardHost, signal?: AbortSignal): Promise<Seen[]> | Seen[]
  /**
   * Does it to one target, and proves that it helped.
   * @returns what was done and what proves it, in one sentence without its full stop; `acted: false` when it had become well by itself
   * @throws {Problem} `lane_busy` when it was not touched because a deploy is at it; any other class: it did not help
   */
  apply(host: GuardHost, target: string, signal?: AbortSignal): Promise<Applied>
}

export interface Applied {
  readonly acted: boolean
  readonly reason: string
}

/** Waiting for a deploy is not guard's way: the next pass comes soon. Milliseconds. */
export const lockPatienceMs = 2_000
